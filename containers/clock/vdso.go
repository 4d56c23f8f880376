package clock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// image is the kernel's vDSO, the same in every 64-bit process of the host, and
// where the patch goes in it:
//
//	0                                  blobAt              len(original)
//	│ ELF header │ … clock_gettime … │ sections │ blob │ 0 │
//	                  └─ jump ───────────────────►
type image struct {
	original []byte
	blobAt   int
	blob     *blob
	hooks    []hook
}

// hook is the jump at the beginning of one function.
type hook struct {
	name     string
	at       int
	original []byte
	jump     []byte
}

// loadImage reads this process's own vDSO, once.
var loadImage = sync.OnceValues(func() (*image, error) {
	b, err := parseBlob(blobObject)
	if err != nil {
		return nil, err
	}
	original, err := ownVDSO()
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	return newImage(original, b)
})

// newImage finds the functions to replace and room for the blob.
func newImage(original []byte, b *blob) (*image, error) {
	f, err := elf.NewFile(bytes.NewReader(original))
	if err != nil {
		return nil, fmt.Errorf("parse the vDSO: %w", err)
	}
	im := &image{original: original, blob: &blob{code: bytes.Clone(b.code), entries: b.entries}, blobAt: room(original, f)}
	if im.blobAt+len(b.code) > len(original) {
		return nil, &UnsupportedError{Feature: "changing the clock", Needs: fmt.Sprintf(
			"%d bytes behind the vDSO's sections, of which it has %d", len(b.code), len(original)-im.blobAt)}
	}
	if len(bytes.Trim(original[im.blobAt:], "\x00")) > 0 {
		return nil, errors.New("the vDSO is changed already\nhint: Brine cannot run in a node whose clock it has set")
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("parse the vDSO: %w", err)
	}
	for _, s := range symbols {
		to, ok := replaced[s.Name]
		if !ok {
			continue
		}
		at := int(s.Value)
		j := jump(at, im.blobAt+b.entries[to])
		if at+len(j) > len(original) || s.Size < uint64(len(j)) {
			return nil, fmt.Errorf("vDSO: %s: no room for a jump", s.Name)
		}
		if to == "brine_clock_gettime" {
			im.keepOriginal(at, len(j))
		}
		im.hooks = append(im.hooks, hook{name: s.Name, at: at, original: original[at : at+len(j)], jump: j})
	}
	if len(im.hooks) != len(replaced) {
		return nil, &UnsupportedError{Feature: "changing the clock", Needs: fmt.Sprintf("a vDSO with %d clock functions, found %d", len(replaced), len(im.hooks))}
	}
	return im, nil
}

// originalSize is the room for the vDSO's own clock_gettime, see blob/blob.c.
const originalSize = 32

// keepOriginal lets the blob ask the vDSO's own clock_gettime: it puts the
// instructions that a jump of n bytes takes the place of into the blob, and
// behind them a jump to the others. When they cannot be moved the blob makes the
// system call, which takes some ten times as long.
func (im *image) keepOriginal(at, n int) {
	moved := movable(im.original[at:], n)
	to := im.blob.entries["brine_original"]
	code := append(bytes.Clone(im.original[at:at+moved]), jump(im.blobAt+to+moved, at+moved)...)
	if moved > 0 && len(code) <= originalSize {
		copy(im.blob.code[to:], code)
	}
}

// room is the first byte behind everything that the file's headers name.
func room(original []byte, f *elf.File) int {
	end := uint64(0)
	for _, p := range f.Progs {
		end = max(end, p.Off+p.Memsz)
	}
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOBITS {
			end = max(end, s.Offset+s.FileSize)
		}
	}
	// The section headers: e_shoff, e_shentsize, e_shnum.
	le := binary.LittleEndian
	end = max(end, le.Uint64(original[0x28:])+uint64(le.Uint16(original[0x3a:]))*uint64(le.Uint16(original[0x3c:])))
	return int(end+63) &^ 63
}

// status is how much of the patch a vDSO has.
type status struct {
	blob       bool // all of it
	hooks      int  // how many
	generation byte
	params     params
}

// inspect tells what of the patch is in a process's vDSO. It fails when the
// rest of it is not the host's.
func (im *image) inspect(got []byte) (status, error) {
	var st status
	rest := bytes.Clone(got)
	for _, h := range im.hooks {
		if bytes.Equal(rest[h.at:h.at+len(h.jump)], h.jump) {
			st.hooks++
			copy(rest[h.at:], h.original)
		}
	}
	room := rest[im.blobAt : im.blobAt+len(im.blob.code)]
	if bytes.Equal(room[:len(magic)], magic) && bytes.Equal(room[dataSize:], im.blob.code[dataSize:]) {
		st.blob = true
		st.generation, st.params = decode(room)
	}
	if st.blob || st.hooks == 0 { // else half of a blob, below jumps: never written by us
		copy(room, im.original[im.blobAt:])
	}
	if !bytes.Equal(rest, im.original) {
		return st, errors.New("its vDSO is not the host's\nhint: 32-bit programs and programs that change their vDSO are not covered")
	}
	return st, nil
}

func (st status) patched(im *image) bool { return st.blob && st.hooks == len(im.hooks) }
func (st status) clean() bool            { return !st.blob && st.hooks == 0 }

func ownVDSO() ([]byte, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(maps), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasSuffix(l, "[vdso]") })
	if i < 0 {
		return nil, errors.New("none\nhint: boot without vdso=0")
	}
	var from, to uint64
	if _, err := fmt.Sscanf(lines[i], "%x-%x", &from, &to); err != nil {
		return nil, err
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	out := make([]byte, to-from)
	_, err = mem.ReadAt(out, int64(from))
	return out, err
}
