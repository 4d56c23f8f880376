package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layoutPath is the folder of the image with that manifest digest.
func (s *store) layoutPath(digest string) string {
	return s.path(strings.ReplaceAll(digest, ":", "-"))
}

// commit makes the layout of an image whose blobs all wait in the draft. It
// appears in one step, whole, or not at all.
func (s *store) commit(tmp *tempDir, d v1.Descriptor, m *v1.Manifest) error {
	final := s.layoutPath(d.Digest.String())
	if _, _, err := s.readLayout(final); err == nil {
		return nil
	}
	dir, err := os.MkdirTemp(tmp.dir, "layout-*")
	if err != nil {
		return err
	}
	index, err := json.MarshalIndent(v1.IndexManifest{
		SchemaVersion: 2,
		MediaType:     types.OCIImageIndex,
		Manifests:     []v1.Descriptor{d},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`), "index.json": index} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	for _, b := range append([]v1.Descriptor{d, m.Config}, m.Layers...) {
		err := os.Link(tmp.blobPath(b.Digest), filepath.Join(dir, "blobs", "sha256", b.Digest.Hex))
		// Two layers of an image may be the same.
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := s.share(tmp, b.Digest); err != nil {
			return err
		}
	}
	for range 10 {
		err = os.Rename(dir, final)
		if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EEXIST) {
			return err
		}
		// Another run was faster, or what is there is damaged.
		if _, _, rerr := s.readLayout(final); rerr == nil {
			return nil
		}
		if err := s.dropLayout(tmp, final); err != nil {
			return err
		}
	}
	return err
}

// dropLayout takes a layout away in one step.
func (s *store) dropLayout(tmp *tempDir, dir string) error {
	away, err := os.MkdirTemp(tmp.dir, "away-*")
	if err != nil {
		return err
	}
	err = os.Rename(dir, filepath.Join(away, "layout"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readLayout reads a layout and checks every byte of it.
func (s *store) readLayout(dir string) (*v1.Manifest, *v1.ConfigFile, error) {
	var index v1.IndexManifest
	if err := readJSON(filepath.Join(dir, "index.json"), &index); err != nil {
		return nil, nil, err
	}
	if len(index.Manifests) != 1 || s.layoutPath(index.Manifests[0].Digest.String()) != dir {
		return nil, nil, fmt.Errorf("%s: index.json does not name the image of this folder", dir)
	}
	blob := func(d v1.Descriptor) string { return filepath.Join(dir, "blobs", "sha256", d.Digest.Hex) }
	d := index.Manifests[0]
	if err := checkBlob(blob(d), d); err != nil {
		return nil, nil, err
	}
	var m v1.Manifest
	if err := readJSON(blob(d), &m); err != nil {
		return nil, nil, err
	}
	for _, b := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		if err := checkBlob(blob(b), b); err != nil {
			return nil, nil, err
		}
	}
	var c v1.ConfigFile
	if err := readJSON(blob(m.Config), &c); err != nil {
		return nil, nil, err
	}
	return &m, &c, nil
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// cached gives the cached image of that manifest digest, nil when there is none
// or when it is damaged; what is damaged is removed, so that it is made again.
func (r *resolver) cached(digest string) *Image {
	s, ref := r.store, r.ref.Text
	dir := s.layoutPath(digest)
	// The time of the folder tells a prune that the image is in use.
	now := time.Now()
	_ = os.Chtimes(dir, now, now)
	m, c, err := s.readLayout(dir)
	if err == nil {
		return newImage(ref, dir, digest, m, c)
	}
	if _, serr := os.Lstat(dir); serr != nil {
		return nil
	}
	s.progress(fmt.Sprintf("%s: the cached image is damaged and is made again: %v", ref, err))
	if tmp, terr := s.draft(); terr == nil {
		_ = s.dropLayout(tmp, dir)
		_ = tmp.Close()
	}
	return nil
}
