package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// locate makes a path of the reference absolute.
func (r *resolver) locate(path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	return filepath.Abs(filepath.Join(r.base, path))
}

// folder is an OCI image layout on disk.
type folder string

func (f folder) open(_ context.Context, d v1.Descriptor, _ bool) (io.ReadCloser, error) {
	return openPlain(filepath.Join(string(f), "blobs", d.Digest.Algorithm, d.Digest.Hex))
}

// openPlain opens a plain file, and never waits on a pipe or reads a device.
func openPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s: expected a file, got a folder", path)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s: expected a plain file, got %s", path, info.Mode().Type())
	case info.Size() > maxBlob:
		err = fmt.Errorf("%s: %s: expected at most %s", path, size(info.Size()), size(maxBlob))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// layoutFolder resolves oci:DIR. The index is read each time, so that a
// folder that was written anew is seen; blobs that are cached are not.
func (r *resolver) layoutFolder(ctx context.Context) (*Image, error) {
	dir, err := r.locate(r.ref.Path)
	if err != nil {
		return nil, err
	}
	raw, err := readSmall(filepath.Join(dir, "index.json"))
	if err != nil {
		if info, serr := os.Stat(dir); serr == nil && !info.IsDir() {
			return nil, hinted(fmt.Errorf("%s: expected a folder, got a file", dir), "archive:FILE.tar reads an image from a file")
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, hinted(fmt.Errorf("%s: no OCI image layout: %w", dir, err), pathHint(OCI))
		}
		return nil, err
	}
	return r.fromIndex(ctx, folder(dir), dir, raw)
}

func readSmall(path string) ([]byte, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(raw) > maxDocument {
		err = fmt.Errorf("%s: expected at most %s", path, size(maxDocument))
	}
	return raw, err
}

// fromIndex resolves the image that an index.json names.
func (r *resolver) fromIndex(ctx context.Context, src source, where string, raw []byte) (*Image, error) {
	doc, err := parseDocument(where+": index.json", raw)
	if err != nil {
		return nil, err
	}
	if doc.image {
		return nil, fmt.Errorf("%s: index.json: expected an index, got the manifest of an image", where)
	}
	d, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	top := v1.Descriptor{Digest: d, Size: int64(len(raw))}
	chosen, err := r.choose(ctx, indexed{src, top, raw}, top)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if err := r.checkPin(chosen.Digest.String(), chosen.via...); err != nil {
		return nil, err
	}
	return r.cachedOrBrought(ctx, src, chosen.Descriptor)
}

// cachedOrBrought gives the image of a known digest.
func (r *resolver) cachedOrBrought(ctx context.Context, src source, d v1.Descriptor) (*Image, error) {
	digest := d.Digest.String()
	if img := r.cached(digest); img != nil {
		return img, nil
	}
	unlock, err := r.lock(ctx, keyOf("manifest", digest), r.ref.Text)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if img := r.cached(digest); img != nil {
		return img, nil
	}
	if err := r.bring(ctx, src, d); err != nil {
		return nil, err
	}
	if img := r.cached(digest); img != nil {
		return img, nil
	}
	return nil, fmt.Errorf("%s: the image was stored and cannot be read back", digest)
}

// indexed adds the top index, which has no blob, to a source.
type indexed struct {
	source
	top v1.Descriptor
	raw []byte
}

func (s indexed) open(ctx context.Context, d v1.Descriptor, document bool) (io.ReadCloser, error) {
	if d.Digest == s.top.Digest {
		return io.NopCloser(bytes.NewReader(s.raw)), nil
	}
	return s.source.open(ctx, d, document)
}
