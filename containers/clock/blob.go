package clock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// magic are the blob's first bytes, by which a patched process is known.
var magic = []byte("brineclk")

// Where things lie in the blob's data, see blob/blob.c.
const (
	dataSize     = 64
	generationAt = 8
	setAt        = 16
	setSize      = 24
)

// blob is the machine code that replaces the vDSO's clock functions.
type blob struct {
	code    []byte         // data first
	entries map[string]int // offset by function: brine_clock_gettime, …
}

// parseBlob takes the code out of the object file that clang made.
func parseBlob(object []byte) (*blob, error) {
	f, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	text := f.Section(".text")
	if text == nil {
		return nil, fmt.Errorf("blob: no code")
	}
	for _, s := range f.Sections {
		if s.Type == elf.SHT_RELA || s.Type == elf.SHT_REL {
			return nil, fmt.Errorf("blob: has relocations: %s", s.Name)
		}
	}
	b := &blob{entries: map[string]int{}}
	if b.code, err = text.Data(); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	for _, s := range symbols {
		b.entries[s.Name] = int(s.Value)
	}
	if !bytes.HasPrefix(b.code, magic) {
		return nil, fmt.Errorf("blob: does not begin with its data")
	}
	return b, nil
}

// with is the blob's code with p in force.
func (b *blob) with(p params) []byte {
	code := bytes.Clone(b.code)
	code[generationAt] = 0
	copy(code[setAt:], p.encode())
	return code
}

// encode gives the bytes of one set.
func (p params) encode() []byte {
	var out []byte
	for _, v := range []int64{p.base, p.offset, p.drift} {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	return out
}

// decode reads the generation and the set in force from a blob's data.
func decode(data []byte) (generation byte, p params) {
	generation = data[generationAt]
	set := data[setAt+setSize*int(generation&1):]
	word := func(i int) int64 { return int64(binary.LittleEndian.Uint64(set[8*i:])) }
	return generation, params{base: word(0), offset: word(1), drift: word(2)}
}
