package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"
)

// source gives the blobs of an image by digest: a registry, a folder, an
// archive. What it gives is checked by who asks.
type source interface {
	open(ctx context.Context, d v1.Descriptor, document bool) (io.ReadCloser, error)
}

// document is a manifest or an index.
type document struct {
	raw      []byte
	image    bool
	manifest v1.Manifest
	index    v1.IndexManifest
}

// readDocument reads a manifest or an index, once, and checks its digest.
func (r *resolver) readDocument(ctx context.Context, src source, d v1.Descriptor) (document, error) {
	if doc, ok := r.documents[d.Digest]; ok {
		return doc, nil
	}
	doc, err := readDocument(ctx, src, d)
	if err == nil {
		r.documents[d.Digest] = doc
	}
	return doc, err
}

func readDocument(ctx context.Context, src source, d v1.Descriptor) (document, error) {
	if err := checkDescriptor(d); err != nil {
		return document{}, err
	}
	rc, err := src.open(ctx, d, true)
	if err != nil {
		return document{}, err
	}
	defer rc.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(&contextReader{ctx, rc}, maxDocument+1))
	if err != nil {
		return document{}, fmt.Errorf("%s: %w", d.Digest, err)
	}
	if len(raw) > maxDocument {
		return document{}, fmt.Errorf("%s: a manifest of more than %s", d.Digest, size(maxDocument))
	}
	got, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return document{}, err
	}
	if got != d.Digest {
		return document{}, fmt.Errorf("expected digest %s, got %s", d.Digest, got)
	}
	return parseDocument(d.Digest.String(), raw)
}

func parseDocument(what string, raw []byte) (document, error) {
	var kind struct {
		SchemaVersion int               `json:"schemaVersion"`
		Manifests     []json.RawMessage `json:"manifests"`
		Layers        []json.RawMessage `json:"layers"`
		FSLayers      []json.RawMessage `json:"fsLayers"`
	}
	doc := document{raw: raw}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return doc, fmt.Errorf("%s: expected a manifest in JSON: %w", what, err)
	}
	var err error
	switch {
	case kind.FSLayers != nil || kind.SchemaVersion == 1:
		return doc, hinted(fmt.Errorf("%s: a manifest of schema 1, which was given up in 2017", what), "push the image again with a current tool")
	case kind.Manifests != nil:
		err = json.Unmarshal(raw, &doc.index)
	case kind.Layers != nil:
		doc.image = true
		err = json.Unmarshal(raw, &doc.manifest)
	default:
		err = errors.New("expected a manifest with layers or an index with manifests")
	}
	if err != nil {
		return doc, fmt.Errorf("%s: %w", what, err)
	}
	return doc, nil
}

// bring copies an image from a source into the cache and makes its layout.
func (r *resolver) bring(ctx context.Context, src source, d v1.Descriptor) error {
	doc, err := r.readDocument(ctx, src, d)
	if err != nil {
		return err
	}
	if !doc.image {
		return fmt.Errorf("%s: expected the manifest of an image, got an index", d.Digest)
	}
	m := &doc.manifest
	if err := checkManifest(m); err != nil {
		return fmt.Errorf("%s: %w", d.Digest, err)
	}
	tmp, err := r.draft()
	if err != nil {
		return err
	}
	defer tmp.Close() //nolint:errcheck // what stays is swept later
	d.Size = int64(len(doc.raw))
	if d.MediaType == "" {
		d.MediaType = m.MediaType
	}
	if d.MediaType == "" {
		d.MediaType = types.OCIManifestSchema1
	}
	d.Annotations, d.Data, d.URLs = nil, nil, nil
	if err := putBlob(ctx, tmp, bytes.NewReader(doc.raw), v1.Descriptor{Digest: d.Digest, Size: d.Size}); err != nil {
		return err
	}
	if err := r.bringBlobs(ctx, tmp, src, append([]v1.Descriptor{m.Config}, m.Layers...)); err != nil {
		return err
	}
	if err := r.checkConfig(tmp, m); err != nil {
		return err
	}
	return r.commit(tmp, d, m)
}

// bringBlobs copies what is not there yet, three at a time.
func (r *resolver) bringBlobs(ctx context.Context, tmp *tempDir, src source, blobs []v1.Descriptor) error {
	var missing []v1.Descriptor
	var total int64
	seen := map[v1.Hash]bool{}
	for _, b := range blobs {
		if err := checkDescriptor(b); err != nil {
			return err
		}
		if !seen[b.Digest] && !r.hold(tmp, b) {
			missing = append(missing, b)
			total += b.Size
		}
		seen[b.Digest] = true
	}
	var done atomic.Int64
	stop := r.report(ctx, &done, total)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(3)
	for _, b := range missing {
		g.Go(func() error {
			rc, err := src.open(ctx, b, false)
			if err != nil {
				return err
			}
			defer rc.Close() //nolint:errcheck // only read
			return putBlob(ctx, tmp, io.TeeReader(rc, counter{&done}), b)
		})
	}
	err := g.Wait()
	if err != nil && r.ref.Kind == Registry && !errors.Is(err, syscall.ENOSPC) {
		// The next try goes on with what has come in full.
		for _, b := range missing {
			_ = r.share(tmp, b.Digest)
		}
	}
	return err
}

// report says every two seconds how far a copy is.
func (r *resolver) report(ctx context.Context, done *atomic.Int64, total int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.say("%s of %s", size(done.Load()), size(total))
			}
		}
	}()
	return func() { cancel(); <-ended }
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// checkManifest refuses what no container can be made from.
func checkManifest(m *v1.Manifest) error {
	if t := string(m.Config.MediaType); !m.Config.MediaType.IsConfig() && t != "" {
		return hinted(fmt.Errorf("expected a container image, got an artifact of type %s", t), "charts, signatures and the like cannot be run")
	}
	if m.Config.Size > maxDocument {
		return errors.New("a configuration of more than " + size(maxDocument))
	}
	for _, l := range m.Layers {
		if t := string(l.MediaType); !l.MediaType.IsLayer() || strings.Contains(t, "encrypted") {
			return fmt.Errorf("layer %s: expected a tar, plain or compressed with gzip or zstd, got %s", l.Digest, t)
		}
	}
	return nil
}

// checkConfig refuses an image for another machine.
func (r *resolver) checkConfig(tmp *tempDir, m *v1.Manifest) error {
	var c v1.ConfigFile
	if err := readJSON(tmp.blobPath(m.Config.Digest), &c); err != nil {
		return err
	}
	if have := (v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant}); !runs(have, r.platform) {
		return hinted(fmt.Errorf("expected an image for %s, got one for %s", r.platform, have), "take an image that was built for this machine")
	}
	if len(c.RootFS.DiffIDs) != len(m.Layers) {
		return fmt.Errorf("the manifest has %d layers, the configuration %d", len(m.Layers), len(c.RootFS.DiffIDs))
	}
	return nil
}
