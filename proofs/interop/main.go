// SPDX-License-Identifier: Apache-2.0

// Command interop verifies an Attestream ledger with Go's own code for transparency logs and nothing of this project:
// golang.org/x/mod/sumdb/note for checkpoints, golang.org/x/mod/sumdb/tlog for tiles and proofs.
//
// It exits 1 at the first thing that does not hold, and says what; its last line is OK when everything held.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	url := flag.String("url", "", "base `URL` of a gateway; checks the ledger log and all shards there")
	key := flag.String("key", "", "the ledger's public key (`vkey`)")
	origin := flag.String("origin", "", "the ledger's origin; the name of its key if not given")
	shards := flag.Int("shards", 0, "`number` of shards")
	bundles := flag.String("bundles", "", "`directory` of proof bundles (*.attest.json) to verify")
	token := flag.String("token", "", "`file` with a bearer token of an auditor; adds the entries of the shards")
	flag.Parse()
	if flag.NArg() > 0 || *key == "" || (*url == "" && *bundles == "") || (*url != "" && *shards < 1) {
		fmt.Fprintln(os.Stderr, "-key is needed, and -url with -shards, or -bundles, or all of them")
		flag.Usage()
		os.Exit(2)
	}
	ledger, err := newLedger(*key, *origin, *shards)
	if err == nil {
		err = ledger.check(*url, *token, *bundles)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
	fmt.Println("OK")
}

// A ledger as its verifier knows it: nothing but a key and the number of shards.
type ledger struct {
	vkey   string
	origin string
	shards int
}

func newLedger(vkey, origin string, shards int) (*ledger, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("ledger key: %w", err)
	}
	if origin == "" {
		origin = verifier.Name()
	}
	if verifier.Name() != origin {
		return nil, fmt.Errorf("the ledger's key is named %q, its origin must be the same, not %q", verifier.Name(), origin)
	}
	return &ledger{vkey, origin, shards}, nil
}

func (l *ledger) check(url, tokenFile, bundles string) error {
	var newest *log
	if url != "" {
		token, err := readToken(tokenFile)
		if err != nil {
			return err
		}
		site := &site{strings.TrimRight(url, "/"), token, map[string][]byte{}}
		newest, err = l.checkLogs(site)
		if err != nil {
			return err
		}
	}
	if bundles != "" {
		return l.checkBundles(bundles, newest)
	}
	return nil
}

// checkLogs verifies the ledger log and the log of each shard, and returns the ledger log.
func (l *ledger) checkLogs(site *site) (*log, error) {
	ledgerLog, err := openLog(site, "log", l.origin, l.vkey)
	if err == nil {
		err = ledgerLog.check(true)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger log: %w", err)
	}
	for shard := 0; shard < l.shards; shard++ {
		origin := fmt.Sprintf("%s/shard/%d", l.origin, shard)
		vkey, err := withName(l.vkey, origin)
		if err != nil {
			return nil, err
		}
		shardLog, err := openLog(site, fmt.Sprintf("shard/%d", shard), origin, vkey)
		if err == nil {
			err = shardLog.check(site.token != "")
		}
		if err != nil {
			return nil, fmt.Errorf("shard %d: %w", shard, err)
		}
	}
	return ledgerLog, nil
}

// check verifies inclusion of every leaf, consistency of every earlier size (of a thousand of them in a large log), and,
// if they may be read, that the entries are those that were hashed.
func (g *log) check(withEntries bool) error {
	size := g.tree.N
	for i := int64(0); i < size; i++ {
		hashes, err := g.reader.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err != nil {
			return fmt.Errorf("hash of leaf %d: %w", i, err)
		}
		proof, err := tlog.ProveRecord(size, i, g.reader)
		if err != nil {
			return fmt.Errorf("inclusion of leaf %d: %w", i, err)
		}
		if err := tlog.CheckRecord(proof, size, g.tree.Hash, i, hashes[0]); err != nil {
			return fmt.Errorf("inclusion of leaf %d: %w", i, err)
		}
		if withEntries {
			entry, err := g.entry(i)
			if err != nil {
				return err
			}
			if tlog.RecordHash(entry) != hashes[0] {
				return fmt.Errorf("entry %d is not the one that was hashed", i)
			}
		}
	}
	sizes := int64(0)
	for older := int64(1); older <= size; older += 1 + size/1000 {
		if err := g.checkConsistency(older); err != nil {
			return err
		}
		sizes++
	}
	entries := "entries not read"
	if withEntries {
		entries = "with entries"
	}
	fmt.Printf("%s: size %d, %d leaves included (%s), consistent with %d earlier sizes\n", g.origin, size, size, entries, sizes)
	return nil
}

func (g *log) checkConsistency(older int64) error {
	root, err := tlog.TreeHash(older, g.reader)
	if err != nil {
		return fmt.Errorf("root at size %d: %w", older, err)
	}
	return g.checkExtends(tlog.Tree{N: older, Hash: root})
}

// checkExtends verifies that this log extends an older tree head.
func (g *log) checkExtends(older tlog.Tree) error {
	if older.N > g.tree.N {
		return fmt.Errorf("size %d of a signed head is above the newest, %d", older.N, g.tree.N)
	}
	proof, err := tlog.ProveTree(g.tree.N, older.N, g.reader)
	if err != nil {
		return fmt.Errorf("consistency of sizes %d and %d: %w", older.N, g.tree.N, err)
	}
	if err := tlog.CheckTree(proof, g.tree.N, g.tree.Hash, older.N, older.Hash); err != nil {
		return fmt.Errorf("consistency of sizes %d and %d: %w", older.N, g.tree.N, err)
	}
	return nil
}
