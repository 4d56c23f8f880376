package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxBlob bounds one blob, archive or program. It stops a sparse file or a
// compressed bomb from filling the disk first and failing then.
const maxBlob = 32 << 30

// maxDocument bounds a manifest, an index or a configuration.
const maxDocument = 8 << 20

// store is the folder images/ of the cache:
//
//	sha256-HEX/        an image, an OCI layout with one manifest
//	blobs/sha256/HEX   every blob; the layouts hold hard links to these
//	names/KEY.json     which image a reference meant when it was last resolved
//	programs/KEY/      programs that go: references compiled
//	locks/KEY          flock(2) files, one per thing that only one may make
//	tmp/               what is being written; each folder locked by its writer
//
// Only root reads it. Everything in it can be made again.
type store struct {
	root     string
	progress func(string)
}

func openStore(cacheDir string, progress func(string)) (*store, error) {
	if cacheDir == "" {
		cacheDir = os.Getenv("BRINE_CACHE")
	}
	if cacheDir == "" {
		cacheDir = "/var/cache/brine"
	}
	root, err := filepath.Abs(filepath.Join(cacheDir, "images"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cacheDir, err)
	}
	if progress == nil {
		progress = func(string) {}
	}
	s := &store{root: root, progress: progress}
	for _, dir := range []string{s.root, s.path("blobs", "sha256"), s.path("names"), s.path("programs"), s.path("locks"), s.path("tmp")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, hinted(fmt.Errorf("image cache: %w", err), "run as root, or let the cache be elsewhere with BRINE_CACHE")
		}
	}
	// A folder that was there before may be open to others.
	if err := os.Chmod(s.root, 0o700); err != nil {
		return nil, hinted(fmt.Errorf("image cache: %w", err), "run as root, or let the cache be elsewhere with BRINE_CACHE")
	}
	sweepTemp(s.path("tmp"), "")
	return s, nil
}

func (s *store) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

func (s *store) blobPath(h v1.Hash) string { return s.path("blobs", h.Algorithm, h.Hex) }

// hold takes a blob of the cache for an image that is being made, and says
// whether it was there, whole. From then on nobody can take it away. One that
// is not whole is removed, so that it is fetched again.
func (s *store) hold(tmp *tempDir, d v1.Descriptor) bool {
	if checkBlob(tmp.blobPath(d.Digest), d) == nil {
		return true
	}
	err := checkBlob(s.blobPath(d.Digest), d)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			s.progress(fmt.Sprintf("image cache: %v; fetching it again", err))
			_ = os.Remove(s.blobPath(d.Digest))
		}
		return false
	}
	return os.Link(s.blobPath(d.Digest), tmp.blobPath(d.Digest)) == nil
}

// share gives the cache a blob of an image that is being made.
func (s *store) share(tmp *tempDir, h v1.Hash) error {
	err := os.Link(tmp.blobPath(h), s.blobPath(h))
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// putBlob keeps what r gives for the image that is being made, under the digest and size that d promises. A
// promise that is not kept is an error, and nothing is kept.
func putBlob(ctx context.Context, tmp *tempDir, r io.Reader, d v1.Descriptor) error {
	if err := checkDescriptor(d); err != nil {
		return err
	}
	got, n, name, err := spool(ctx, tmp, io.LimitReader(r, d.Size+1))
	if err != nil {
		return fmt.Errorf("%s: %w", d.Digest, err)
	}
	if n != d.Size || got != d.Digest {
		_ = os.Remove(name)
		if n > d.Size {
			return fmt.Errorf("%s: expected %d bytes, got more", d.Digest, d.Size)
		}
		return fmt.Errorf("%s: expected that digest and %d bytes, got %s and %d bytes", d.Digest, d.Size, got, n)
	}
	return keepBlob(tmp, name, got)
}

// addBlob keeps what r gives under its own digest.
func addBlob(ctx context.Context, tmp *tempDir, r io.Reader) (v1.Hash, int64, error) {
	got, n, name, err := spool(ctx, tmp, io.LimitReader(r, maxBlob+1))
	if err != nil {
		return v1.Hash{}, 0, err
	}
	if n > maxBlob {
		_ = os.Remove(name)
		return v1.Hash{}, 0, fmt.Errorf("more than %s", size(maxBlob))
	}
	return got, n, keepBlob(tmp, name, got)
}

// spool writes r into a file of the temporary folder and hashes it meanwhile.
func spool(ctx context.Context, tmp *tempDir, r io.Reader) (v1.Hash, int64, string, error) {
	f, err := os.CreateTemp(tmp.dir, "blob-*")
	if err != nil {
		return v1.Hash{}, 0, "", err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), &contextReader{ctx, r})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return v1.Hash{}, 0, "", err
	}
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}, n, f.Name(), nil
}

// keepBlob moves a spooled file to its place. The digest was computed while
// the bytes went by, so that this process need not read the file again.
func keepBlob(tmp *tempDir, name string, h v1.Hash) error {
	if err := os.Rename(name, tmp.blobPath(h)); err != nil {
		return err
	}
	return remember(tmp.blobPath(h), h)
}

func checkDescriptor(d v1.Descriptor) error {
	if d.Digest.Algorithm != "sha256" || !pinPattern.MatchString(d.Digest.String()) {
		return fmt.Errorf("digest %q: expected sha256: and 64 hexadecimal digits", d.Digest)
	}
	if d.Size < 0 || d.Size > maxBlob {
		return fmt.Errorf("%s: %d bytes: expected between 0 and %s", d.Digest, d.Size, size(maxBlob))
	}
	return nil
}

// contextReader ends a long copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// keyOf names a cached thing after all that it depends on.
func keyOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:20])
}

// throttle passes on at most one line per interval.
func throttle(interval time.Duration, say func(string)) func(format string, args ...any) {
	last := time.Now()
	return func(format string, args ...any) {
		if now := time.Now(); now.Sub(last) >= interval {
			last = now
			say(fmt.Sprintf(format, args...))
		}
	}
}
