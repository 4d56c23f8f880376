package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// atSysinfoEhdr is the auxiliary vector's entry that tells where the vDSO is
// (linux/auxvec.h).
const atSysinfoEhdr = 33

// process is one process's memory. It stays that of the program that ran when
// it was opened, also when the number is used again or another program is
// executed: writes then go nowhere.
type process struct {
	pid  int
	im   *image
	mem  *os.File
	vdso int64 // its address
}

// openProcess opens the memory of pid; errGone when it has none any more.
func openProcess(pid int, im *image) (*process, error) {
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return nil, gone(err)
	}
	auxv, err := os.ReadFile(fmt.Sprintf("/proc/%d/auxv", pid))
	if err == nil && (len(auxv) < 16 || binary.LittleEndian.Uint64(auxv) == 0) {
		err = errGone // or about to execute another program
	}
	p := &process{pid: pid, im: im, mem: mem}
	for ; len(auxv) >= 16 && p.vdso == 0; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == atSysinfoEhdr {
			p.vdso = int64(binary.LittleEndian.Uint64(auxv[8:]))
		}
	}
	if err == nil && p.vdso == 0 {
		err = errors.New("it has no 64-bit vDSO\nhint: 32-bit programs are not covered")
	}
	if err != nil {
		mem.Close() //nolint:errcheck // nothing was written
		return nil, gone(err)
	}
	return p, nil
}

func (p *process) close() { p.mem.Close() } //nolint:errcheck // what was written is in memory already

// status reads how much of the patch is there.
func (p *process) status() (status, error) {
	got := make([]byte, len(p.im.original))
	if _, err := p.mem.ReadAt(got, p.vdso); err != nil {
		return status{}, gone(err)
	}
	return p.im.inspect(got)
}

// set puts another correction in force. The threads run on: it fills the set
// that is not in use and then stores one byte.
func (p *process) set(st status, to params) error {
	next := st.generation + 1
	data := p.vdso + int64(p.im.blobAt)
	if err := p.write(data+setAt+setSize*int64(next&1), to.encode()); err != nil {
		return err
	}
	return p.write(data+generationAt, []byte{next})
}

// fill writes the blob, and only then the jumps to it. No thread may be at the
// functions' beginnings. A blob that is there still is used again: somebody may
// be in it.
func (p *process) fill(st status, to params) error {
	var err error
	if st.blob {
		err = p.set(st, to)
	} else {
		err = p.write(p.vdso+int64(p.im.blobAt), p.im.blob.with(to))
	}
	for i := 0; err == nil && i < len(p.im.hooks); i++ {
		err = p.write(p.vdso+int64(p.im.hooks[i].at), p.im.hooks[i].jump)
	}
	return err
}

// unhook gives the functions their first instructions back. All threads must
// stand still; where does not matter, as a jump is one instruction.
func (p *process) unhook() error {
	for _, h := range p.im.hooks {
		if err := p.write(p.vdso+int64(h.at), h.original); err != nil {
			return err
		}
	}
	return nil
}

// empty takes the blob away. No thread may be in it.
func (p *process) empty() error {
	return p.write(p.vdso+int64(p.im.blobAt), make([]byte, len(p.im.blob.code)))
}

func (p *process) write(at int64, b []byte) error {
	if _, err := p.mem.WriteAt(b, at); err != nil {
		if err := gone(err); errors.Is(err, errGone) {
			return err
		}
		return fmt.Errorf("write to its vDSO: %w\nhint: a kernel booted with proc_mem.restrict_foll_force refuses this", err)
	}
	return nil
}

// gone turns what reading and writing a dead process gives into errGone.
func gone(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errGone
	}
	return err
}
