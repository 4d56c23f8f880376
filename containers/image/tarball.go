package image

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// maxEntries bounds the files of an archive, which are few in every format.
const maxEntries = 100_000

// tarball is an archive with its table of contents: the files in it are read
// at their places, nothing is unpacked under a name that the archive chose.
type tarball struct {
	file  *os.File
	parts map[string]part
}

// part is one entry: a file's place, or where a link leads.
type part struct {
	offset, size int64
	link         string
}

// openTarball reads the table of contents. A compressed archive is inflated
// into the temporary folder first.
func openTarball(ctx context.Context, tmp *tempDir, file string) (*tarball, error) {
	f, err := openPlain(file)
	if err != nil {
		return nil, err
	}
	if f, err = inflated(ctx, tmp, f); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	t := &tarball{file: f, parts: map[string]part{}}
	if err := t.index(ctx); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

func (t *tarball) Close() error { return t.file.Close() }

// inflated gives the same archive without compression. It owns f.
func inflated(ctx context.Context, tmp *tempDir, f *os.File) (*os.File, error) {
	var magic [4]byte
	n, err := f.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = f.Close()
		return nil, err
	}
	switch {
	case n == 0:
		_ = f.Close()
		return nil, errors.New("expected an archive, got an empty file")
	case n < 2 || magic[0] != 0x1f || magic[1] != 0x8b:
		if string(magic[:]) == "\x28\xb5\x2f\xfd" {
			_ = f.Close()
			return nil, hinted(errors.New("compressed with zstd; expected a tar, plain or with gzip"), "unpack it with unzstd")
		}
		return f, nil
	}
	defer f.Close() //nolint:errcheck // only read
	zr, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	out, err := os.CreateTemp(tmp.dir, "inflated-*")
	if err != nil {
		return nil, err
	}
	written, err := io.Copy(out, io.LimitReader(&contextReader{ctx, zr}, maxBlob+1))
	if err == nil && written > maxBlob {
		err = fmt.Errorf("more than %s when inflated", size(maxBlob))
	}
	if err != nil {
		_ = out.Close()
		return nil, fmt.Errorf("inflate: %w", err)
	}
	return out, nil
}

func (t *tarball) index(ctx context.Context) error {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	tr := tar.NewReader(t.file)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("expected a tar archive: %w", err)
		}
		if len(t.parts) >= maxEntries {
			return fmt.Errorf("more than %d files", maxEntries)
		}
		name, err := inside(h.Name)
		if err != nil {
			return err
		}
		at, err := t.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if h.Size > info.Size()-at {
				return fmt.Errorf("%s: the archive ends before the file does", name)
			}
			t.parts[name] = part{offset: at, size: h.Size}
		case tar.TypeSymlink, tar.TypeLink:
			// What docker wrote before 25 links equal layers to each other.
			target := h.Linkname
			if h.Typeflag == tar.TypeSymlink {
				target = path.Join(path.Dir(name), target)
			}
			if target, err = inside(target); err != nil {
				return err
			}
			t.parts[name] = part{link: target}
		}
	}
}

// inside cleans a name of the archive and refuses one that leads out of it.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	if clean == ".." || strings.HasPrefix(clean, "../") || strings.HasPrefix(clean, "/") {
		return "", fmt.Errorf("%q leads out of the archive", name)
	}
	return clean, nil
}

// open gives one file of the archive; links are followed.
func (t *tarball) open(name string) (*io.SectionReader, error) {
	at, err := inside(name)
	if err != nil {
		return nil, err
	}
	for range 10 {
		p, ok := t.parts[at]
		if !ok {
			return nil, fmt.Errorf("%s: not in the archive", name)
		}
		if p.link == "" {
			return io.NewSectionReader(t.file, p.offset, p.size), nil
		}
		at = p.link
	}
	return nil, fmt.Errorf("%s: too many links", name)
}

func (t *tarball) has(name string) bool { _, ok := t.parts[name]; return ok }

func (t *tarball) small(name string) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	if f.Size() > maxDocument {
		return nil, fmt.Errorf("%s: expected at most %s", name, size(maxDocument))
	}
	return io.ReadAll(f)
}
