package image

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// dockerImage is one image of manifest.json in a Docker archive.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// fromDocker makes an OCI image of what `docker save` wrote: the same
// configuration and the same layers, under a manifest of their own.
func (r *resolver) fromDocker(ctx context.Context, tmp *tempDir, t *tarball, file string) (*Image, error) {
	raw, err := t.small("manifest.json")
	if err != nil {
		return nil, err
	}
	var images []dockerImage
	if err := json.Unmarshal(raw, &images); err != nil {
		return nil, fmt.Errorf("%s: manifest.json: %w", file, err)
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%s: manifest.json: expected an image, got none", file)
	}
	var found []*v1.Descriptor
	var names []string
	for _, img := range images {
		d, m, err := r.convert(ctx, tmp, t, img)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if d.Digest.String() == r.ref.Pin || len(images) == 1 {
			if err := r.checkPin(d.Digest.String()); err != nil {
				return nil, err
			}
			if err := r.checkConfig(tmp, m); err != nil {
				return nil, err
			}
			if err := r.commit(tmp, *d, m); err != nil {
				return nil, err
			}
			if img := r.cached(d.Digest.String()); img != nil {
				return img, nil
			}
			return nil, fmt.Errorf("%s: the image was stored and cannot be read back", d.Digest)
		}
		found = append(found, d)
		names = append(names, strings.Join(append(img.RepoTags, d.Digest.String()), " "))
	}
	if r.ref.Pin != "" {
		return nil, hinted(fmt.Errorf("%s: expected digest %s, got %s", file, r.ref.Pin, strings.Join(names, ", ")), r.pinHint())
	}
	return nil, hinted(fmt.Errorf("%s: expected one image, got %d: %s", file, len(found), strings.Join(names, ", ")),
		"save one image, or choose one by its digest: "+r.ref.Text+"#sha256:…")
}

// convert stores the layers of an image, uncompressed, and writes its manifest.
func (r *resolver) convert(ctx context.Context, tmp *tempDir, t *tarball, img dockerImage) (*v1.Descriptor, *v1.Manifest, error) {
	rawConfig, err := t.small(img.Config)
	if err != nil {
		return nil, nil, err
	}
	var config v1.ConfigFile
	if err := json.Unmarshal(rawConfig, &config); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", img.Config, err)
	}
	if len(config.RootFS.DiffIDs) != len(img.Layers) {
		return nil, nil, fmt.Errorf("manifest.json has %d layers, the configuration %d", len(img.Layers), len(config.RootFS.DiffIDs))
	}
	m := &v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	for i, name := range img.Layers {
		n, err := r.storeLayer(ctx, tmp, t, name, config.RootFS.DiffIDs[i])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: types.OCIUncompressedLayer, Digest: config.RootFS.DiffIDs[i], Size: n})
	}
	if m.Config, err = storeDocument(ctx, tmp, types.OCIConfigJSON, rawConfig); err != nil {
		return nil, nil, err
	}
	return storeManifest(ctx, tmp, m)
}

// storeLayer stores one layer under its digest without compression, and
// gives its size.
func (r *resolver) storeLayer(ctx context.Context, tmp *tempDir, t *tarball, name string, want v1.Hash) (int64, error) {
	f, err := t.open(name)
	if err != nil {
		return 0, err
	}
	var layer io.Reader = f
	buffered := bufio.NewReader(f)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if layer, err = gzip.NewReader(buffered); err != nil {
			return 0, err
		}
	} else if d := (v1.Descriptor{Digest: want, Size: f.Size()}); checkDescriptor(d) == nil && r.hold(tmp, d) {
		return f.Size(), nil
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	got, n, err := addBlob(ctx, tmp, layer)
	if err != nil {
		return 0, err
	}
	if got != want {
		return 0, fmt.Errorf("expected digest %s, got %s", want, got)
	}
	return n, nil
}

// storeDocument keeps a manifest or a configuration.
func storeDocument(ctx context.Context, tmp *tempDir, t types.MediaType, raw []byte) (v1.Descriptor, error) {
	h, n, err := addBlob(ctx, tmp, bytes.NewReader(raw))
	return v1.Descriptor{MediaType: t, Digest: h, Size: n}, err
}

func storeManifest(ctx context.Context, tmp *tempDir, m *v1.Manifest) (*v1.Descriptor, *v1.Manifest, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, nil, err
	}
	d, err := storeDocument(ctx, tmp, m.MediaType, raw)
	return &d, m, err
}
