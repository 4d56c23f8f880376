package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ldCache is /etc/ld.so.cache in the format of glibc since 2.2 (see
// elf/cache.c and dl-cache.h of glibc):
//
//	[ld.so-1.7.0: the old table, aligned to 8] glibc-ld.so.cache1.1
//	number of entries, length of strings, flags, 3 unused, extensions' offset, 12 unused
//	entries of 24 bytes: flags, offset of name, offset of path, OS version, hwcaps
//	strings
//
// Offsets count from the start of the new table. Entries are sorted the way
// the linker's binary search needs them, so that leaving some out keeps them
// in order.
type ldCache struct {
	order   binary.ByteOrder
	entries []ldEntry
}

type ldEntry struct {
	flags      uint32
	name, path string
	osVersion  uint32
	hwcaps     uint64
}

const (
	ldOldMagic   = "ld.so-1.7.0"
	ldNewMagic   = "glibc-ld.so.cache1.1"
	ldHeaderSize = len(ldNewMagic) + 28
	ldEntrySize  = 24
)

func parseLDCache(raw []byte) (*ldCache, error) {
	var order binary.ByteOrder = binary.NativeEndian
	if bytes.HasPrefix(raw, []byte(ldOldMagic)) {
		if len(raw) < 16 {
			return nil, errors.New("ld.so.cache: too short")
		}
		skip := 16 + 12*uint64(order.Uint32(raw[12:]))
		skip = (skip + 7) &^ 7
		if skip > uint64(len(raw)) {
			return nil, errors.New("ld.so.cache: the old table is longer than the file")
		}
		raw = raw[skip:]
	}
	if !bytes.HasPrefix(raw, []byte(ldNewMagic)) || len(raw) < ldHeaderSize {
		return nil, errors.New("ld.so.cache: expected " + ldNewMagic)
	}
	n := uint64(order.Uint32(raw[len(ldNewMagic):]))
	if uint64(ldHeaderSize)+n*ldEntrySize > uint64(len(raw)) {
		return nil, fmt.Errorf("ld.so.cache: %d entries do not fit in %d bytes", n, len(raw))
	}
	c := &ldCache{order: order}
	text := func(offset uint32) (string, bool) {
		if uint64(offset) >= uint64(len(raw)) {
			return "", false
		}
		s, _, ended := bytes.Cut(raw[offset:], []byte{0})
		return string(s), ended
	}
	for i := range n {
		e := raw[uint64(ldHeaderSize)+i*ldEntrySize:]
		name, ok1 := text(order.Uint32(e[4:]))
		path, ok2 := text(order.Uint32(e[8:]))
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("ld.so.cache: entry %d points out of the file", i)
		}
		c.entries = append(c.entries, ldEntry{order.Uint32(e), name, path, order.Uint32(e[12:]), order.Uint64(e[16:])})
	}
	return c, nil
}

// lookup gives the libraries of a name. Those for a newer processor only are
// left out: an image should do on each.
func (c *ldCache) lookup(name string) []string {
	var paths []string
	for _, e := range c.entries {
		if e.name == name && e.hwcaps == 0 {
			paths = append(paths, e.path)
		}
	}
	return paths
}

// keep writes a cache of the entries whose path is wanted; nil for none.
func (c *ldCache) keep(wanted func(path string) bool) []byte {
	var kept []ldEntry
	for _, e := range c.entries {
		if e.hwcaps == 0 && wanted(e.path) {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	base := ldHeaderSize + ldEntrySize*len(kept)
	var table, strings bytes.Buffer
	offset := func(s string) uint32 {
		at := base + strings.Len()
		strings.WriteString(s)
		strings.WriteByte(0)
		return uint32(at)
	}
	for _, e := range kept {
		var raw [ldEntrySize]byte
		c.order.PutUint32(raw[0:], e.flags)
		c.order.PutUint32(raw[4:], offset(e.name))
		c.order.PutUint32(raw[8:], offset(e.path))
		c.order.PutUint32(raw[12:], e.osVersion)
		c.order.PutUint64(raw[16:], e.hwcaps)
		table.Write(raw[:])
	}
	out := append([]byte(ldNewMagic), make([]byte, ldHeaderSize-len(ldNewMagic))...)
	c.order.PutUint32(out[len(ldNewMagic):], uint32(len(kept)))
	c.order.PutUint32(out[len(ldNewMagic)+4:], uint32(strings.Len()))
	return append(append(out, table.Bytes()...), strings.Bytes()...)
}
