// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxBody    = 32 << 20
)

var client = &http.Client{Timeout: 30 * time.Second}

// site is where tiles come from. Nothing of it is believed: tlog checks every tile against the signed root.
type site struct {
	url   string
	token string
	read  map[string][]byte
}

// errNotThere is the answer 404.
type errNotThere struct{ path string }

func (e *errNotThere) Error() string { return e.path + " is not there" }

// get reads a resource; tiles do not change, so each is read once.
func (s *site) get(path string) ([]byte, error) {
	if body, ok := s.read[path]; ok {
		return body, nil
	}
	request, err := http.NewRequest(http.MethodGet, s.url+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusNotFound {
		return nil, &errNotThere{path}
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %.200s", path, response.Status, body)
	}
	if strings.Contains(path, "/tile/") {
		s.read[path] = body
	}
	return body, nil
}

// log is one log of the site at its newest checkpoint.
type log struct {
	site   *site
	prefix string
	origin string
	tree   tlog.Tree
	reader tlog.HashReader
}

// openLog reads and verifies a checkpoint.
func openLog(site *site, prefix, origin, vkey string) (*log, error) {
	signed, err := site.get(prefix + "/checkpoint")
	if err != nil {
		return nil, err
	}
	tree, err := openCheckpoint(signed, origin, vkey)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	g := &log{site: site, prefix: prefix, origin: origin, tree: tree}
	g.reader = tlog.TileHashReader(tree, g)
	return g, nil
}

// openCheckpoint verifies a checkpoint's signature by this key and its origin.
func openCheckpoint(signed []byte, origin, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("has %d lines, expected origin, size and root", len(lines)-1)
	}
	if lines[0] != origin {
		return tlog.Tree{}, fmt.Errorf("is of %q, expected %q", lines[0], origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		return tlog.Tree{}, fmt.Errorf("has size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// withName is the same public key under another name: a shard's checkpoints are signed under the shard's origin.
func withName(vkey, name string) (string, error) {
	// Base64 may contain '+' itself.
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return "", fmt.Errorf("ledger key must be name+id+key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 1 {
		return "", fmt.Errorf("ledger key must be an Ed25519 key")
	}
	return note.NewEd25519VerifierKey(name, key[1:])
}

// Height is that of the tiles of C2SP tlog-tiles.
func (g *log) Height() int { return tileHeight }

// SaveTiles has nothing to do: tiles are kept as they are read, and checked again each time.
func (g *log) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles reads tiles, and the full tile where a partial one is gone.
func (g *log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		body, err := g.site.get(g.path(tile))
		if _, gone := err.(*errNotThere); gone && tile.W < tileWidth {
			full := tile
			full.W = tileWidth
			body, err = g.site.get(g.path(full))
			if err == nil && len(body) == tileWidth*tlog.HashSize {
				body = body[:tile.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		if len(body) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes, expected %d", g.path(tile), len(body), tile.W*tlog.HashSize)
		}
		data[i] = body
	}
	return data, nil
}

// path is the path of C2SP tlog-tiles, which leaves out the height that the checksum database has in it.
func (g *log) path(tile tlog.Tile) string {
	return g.prefix + "/tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
}

// entry reads one entry out of its bundle.
func (g *log) entry(index int64) ([]byte, error) {
	first := index / tileWidth * tileWidth
	width := g.tree.N - first
	if width > tileWidth {
		width = tileWidth
	}
	tile := tlog.Tile{H: tileHeight, L: 0, N: index / tileWidth, W: int(width)}
	path := g.prefix + "/tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/0/")
	bundle, err := g.site.get(path)
	if err != nil {
		return nil, err
	}
	for i := first; ; i++ {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("%s ends before entry %d", path, index)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if i == index {
			return bundle[2:end], nil
		}
		bundle = bundle[end:]
	}
}

func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	token, err := os.ReadFile(file)
	return strings.TrimSpace(string(token)), err
}
