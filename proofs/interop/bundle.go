// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// number is a size or index: a JSON number, or above 2^53 a decimal string.
type number int64

func (n *number) UnmarshalJSON(data []byte) error {
	value, err := strconv.ParseInt(string(bytes.Trim(data, `"`)), 10, 64)
	*n = number(value)
	return err
}

type bundle struct {
	Entry      []byte      `json:"entry"`
	EpochLeaf  []byte      `json:"epochLeaf"`
	Head       []byte      `json:"head"`
	LeafIndex  number      `json:"leafIndex"`
	LeafPath   []tlog.Hash `json:"leafPath"`
	LedgerPath []tlog.Hash `json:"ledgerPath"`
	Note       string      `json:"note"`
	Payload    []byte      `json:"payload"`
	Salt       []byte      `json:"salt"`
	Shards     int         `json:"shards"`
	V          int         `json:"v"`
	VectorPath []tlog.Hash `json:"vectorPath"`
}

type head struct {
	Root  tlog.Hash `json:"root"`
	Shard int       `json:"shard"`
	Size  number    `json:"size"`
}

type epochLeaf struct {
	Epoch      number    `json:"epoch"`
	V          int       `json:"v"`
	VectorRoot tlog.Hash `json:"vectorRoot"`
}

type entry struct {
	Data *struct {
		Digest []byte `json:"digest"`
		Size   int    `json:"size"`
	} `json:"data"`
	V int `json:"v"`
}

// checkBundles verifies every bundle of a directory, and that the newest ledger log, if there is one, extends what it proves.
func (l *ledger) checkBundles(directory string, newest *log) error {
	files, err := filepath.Glob(filepath.Join(directory, "*.attest.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no *.attest.json in %s", directory)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil {
			err = l.checkBundle(data, newest)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("%d proof bundles verified\n", len(files))
	return nil
}

// checkBundle goes from the leaf to the shard head, to the epoch, to the signed checkpoint.
func (l *ledger) checkBundle(data []byte, newest *log) error {
	var b bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	var e entry
	var h head
	var p epochLeaf
	for _, part := range []struct {
		name string
		json []byte
		into any
	}{{"entry", b.Entry, &e}, {"head", b.Head, &h}, {"epochLeaf", b.EpochLeaf, &p}} {
		if err := json.Unmarshal(part.json, part.into); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if b.V != 1 || e.V != 1 || p.V != 1 {
		return fmt.Errorf("versions of bundle, entry and epoch leaf are %d, %d and %d, expected 1", b.V, e.V, p.V)
	}
	if l.shards > 0 && b.Shards != l.shards {
		return fmt.Errorf("shards: is of a ledger of %d, expected %d", b.Shards, l.shards)
	}
	if err := checkPayload(&b, &e); err != nil {
		return err
	}
	if err := checkRecord("leafPath", b.LeafPath, int64(h.Size), h.Root, int64(b.LeafIndex), b.Entry); err != nil {
		return err
	}
	if err := checkRecord("vectorPath", b.VectorPath, int64(b.Shards), p.VectorRoot, int64(h.Shard), b.Head); err != nil {
		return err
	}
	tree, err := openCheckpoint([]byte(b.Note), l.origin, l.vkey)
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	if err := checkRecord("ledgerPath", b.LedgerPath, tree.N, tree.Hash, int64(p.Epoch), b.EpochLeaf); err != nil {
		return err
	}
	if newest != nil {
		return newest.checkExtends(tree)
	}
	return nil
}

func checkPayload(b *bundle, e *entry) error {
	if b.Payload == nil || b.Salt == nil || e.Data == nil {
		return nil
	}
	mac := hmac.New(sha256.New, b.Salt)
	mac.Write(b.Payload)
	if len(b.Payload) != e.Data.Size || !hmac.Equal(mac.Sum(nil), e.Data.Digest) {
		return fmt.Errorf("payload: is not what the entry commits to")
	}
	return nil
}

// checkRecord keeps from tlog what it would panic at.
func checkRecord(name string, path []tlog.Hash, size int64, root tlog.Hash, index int64, leaf []byte) error {
	if index < 0 || index >= size {
		return fmt.Errorf("%s: index %d is not below size %d", name, index, size)
	}
	if err := tlog.CheckRecord(path, size, root, index, tlog.RecordHash(leaf)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
