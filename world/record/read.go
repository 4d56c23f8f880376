package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxLine bounds one event, so that a file that is no record does not fill the memory.
const maxLine = 64 << 20

// ErrNoRecord says that a file is empty or does not begin as a record does.
var ErrNoRecord = errors.New("not a record")

// Read reads a record and builds its tree. A last line that is cut off, as kill -9 leaves it, is left out and
// Run.Truncated set; any other line that does not parse is an error that names it.
func Read(path string) (*Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: read the record: %w", path, err)
	}
	run, err := Decode(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	run.Dir = filepath.Dir(path)
	for _, s := range run.Scenarios {
		s.Dir, s.Shard = run.Dir, run.Info.Shard
	}
	return run, f.Close()
}

// Decode reads a record from a stream.
func Decode(r io.Reader) (*Run, error) {
	br := bufio.NewReaderSize(r, 256<<10)
	b := newBuilder()
	for n := 1; ; n++ {
		line, err := readLine(br)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			var e Event
			if perr := json.Unmarshal(line, &e); perr != nil {
				if !last {
					return nil, fmt.Errorf("line %d: %w", n, perr)
				}
				b.run.Truncated = true
			} else if err := b.add(e); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if last {
			break
		}
	}
	return b.done()
}

// readLine returns one line with its end; io.EOF comes with the last, unfinished one.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes: %w", maxLine, ErrNoRecord)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
