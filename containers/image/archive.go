package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// settled is how old a file's last change must be before its stamp is
// trusted: a later write within one tick of the file system's clock would
// leave the same stamp.
const settled = 2 * time.Second

// archive resolves archive:FILE. An archive that was read before and has not
// changed since is not read again.
func (r *resolver) archive(ctx context.Context) (*Image, error) {
	file, err := r.locate(r.ref.Path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, hinted(fmt.Errorf("%s: no such file", file), pathHint(Archive))
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, hinted(fmt.Errorf("%s: expected a file, got a folder", file), "oci:DIR reads a folder in the OCI image layout")
	}
	key := r.key(file)
	now := fmt.Sprintf("%+v", stampOf(info))
	unlock, err := r.lock(ctx, key, r.ref.Text)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if known, ok := r.lookup(key); ok && known.Source == now {
		if img := r.cached(known.Digest); img != nil {
			return img, nil // the pin is part of the key
		}
	}
	tmp, err := r.draft()
	if err != nil {
		return nil, err
	}
	defer tmp.Close() //nolint:errcheck // what stays is swept later
	begin := time.Now()
	t, err := openTarball(ctx, tmp, file)
	if err != nil {
		return nil, err
	}
	defer t.Close() //nolint:errcheck // only read
	var img *Image
	switch {
	case t.has("index.json"):
		var raw []byte
		if raw, err = t.small("index.json"); err == nil {
			img, err = r.fromIndex(ctx, ociArchive{t}, file, raw)
		}
	case t.has("manifest.json"):
		img, err = r.fromDocker(ctx, tmp, t, file)
	default:
		err = hinted(fmt.Errorf("%s: expected an OCI or Docker archive, got a tar without index.json and manifest.json", file), pathHint(Archive))
	}
	if err != nil {
		return nil, err
	}
	if d := time.Since(begin); d > time.Second {
		r.say("read, %s in %s", size(img.Size), d.Round(100*time.Millisecond))
	}
	if time.Since(time.Unix(0, stampOf(info).Change)) < settled {
		return img, nil
	}
	return img, r.record(tmp, key, entry{Ref: r.ref.Text, Digest: img.Digest, Source: now})
}

// ociArchive is an OCI image layout in a tar.
type ociArchive struct{ t *tarball }

func (a ociArchive) open(_ context.Context, d v1.Descriptor, _ bool) (io.ReadCloser, error) {
	f, err := a.t.open("blobs/" + d.Digest.Algorithm + "/" + d.Digest.Hex)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(f), nil
}
