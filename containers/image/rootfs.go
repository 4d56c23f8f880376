package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// epoch is the time of every file and image made here, so that the same input
// gives the same digest.
var epoch = time.Unix(0, 0).UTC()

// rootfs is the content of an image that is made here: one layer. All of it
// belongs to root.
type rootfs struct {
	nodes map[string]node // by clean path without the leading slash
}

// node is a folder, a link or a file; a file is bytes, or a file of this
// machine with an identity that changes when its content does.
type node struct {
	mode     fs.FileMode
	link     string
	content  []byte
	file     string
	identity string
}

func newRootfs() *rootfs { return &rootfs{nodes: map[string]node{}} }

func clean(name string) string { return path.Clean("/" + name)[1:] }

// put adds a node and the folders above it. The first node of a name stays.
func (f *rootfs) put(name string, n node) {
	name = clean(name)
	if _, ok := f.nodes[name]; ok || name == "" {
		return
	}
	f.nodes[name] = n
	if up := path.Dir(name); up != "." {
		f.put(up, node{mode: fs.ModeDir | 0o755})
	}
}

func (f *rootfs) names() []string {
	var names []string
	for name := range f.nodes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// identity is equal for equal content.
func (f *rootfs) identity() string {
	var parts []string
	for _, name := range f.names() {
		n := f.nodes[name]
		parts = append(parts, name, strconv.FormatUint(uint64(n.mode), 8), n.link, string(n.content), n.identity)
	}
	return keyOf(parts...)
}

// write streams the layer, sorted by name.
func (f *rootfs) write(ctx context.Context, w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, name := range f.names() {
		if err := f.writeNode(ctx, tw, name); err != nil {
			return fmt.Errorf("/%s: %w", name, err)
		}
	}
	return tw.Close()
}

func (f *rootfs) writeNode(ctx context.Context, tw *tar.Writer, name string) error {
	n := f.nodes[name]
	h := &tar.Header{Name: name, Mode: int64(n.mode.Perm()), ModTime: epoch, Typeflag: tar.TypeReg}
	if n.mode&fs.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	var content io.Reader = bytes.NewReader(n.content)
	switch {
	case n.mode.IsDir():
		h.Name, h.Typeflag = name+"/", tar.TypeDir
	case n.link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, n.link, 0o777
	case n.file != "":
		file, err := openPlain(n.file)
		if err != nil {
			return err
		}
		defer file.Close() //nolint:errcheck // only read
		info, err := file.Stat()
		if err != nil {
			return err
		}
		h.Size, content = info.Size(), &contextReader{ctx, file}
	default:
		h.Size = int64(len(n.content))
	}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	copied, err := io.Copy(tw, content)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && copied < h.Size {
		return errors.New("the file changed while it was read")
	}
	return err
}

// build stores the image of a root file system, unless it is there.
func (r *resolver) build(ctx context.Context, f *rootfs, run v1.Config, settled bool) (*Image, error) {
	rawRun, err := json.Marshal(run)
	if err != nil {
		return nil, err
	}
	key := keyOf("rootfs", r.platform.String(), f.identity(), string(rawRun))
	unlock, err := r.lock(ctx, key, r.ref.Text)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if known, ok := r.lookup(key); ok {
		if img := r.cached(known.Digest); img != nil {
			return img, r.checkPin(img.Digest)
		}
	}
	tmp, err := r.draft()
	if err != nil {
		return nil, err
	}
	defer tmp.Close() //nolint:errcheck // what stays is swept later
	layer, err := f.store(ctx, tmp)
	if err != nil {
		return nil, err
	}
	d, m, err := r.describe(ctx, tmp, layer, run)
	if err != nil {
		return nil, err
	}
	if err := r.checkPin(d.Digest.String()); err != nil {
		return nil, err
	}
	if err := r.commit(tmp, *d, m); err != nil {
		return nil, err
	}
	img := r.cached(d.Digest.String())
	if img == nil {
		return nil, fmt.Errorf("%s: the image was stored and cannot be read back", d.Digest)
	}
	if !settled {
		return img, nil
	}
	return img, r.record(tmp, key, entry{Ref: r.ref.Text, Digest: img.Digest})
}

// store writes the layer into the draft.
func (f *rootfs) store(ctx context.Context, tmp *tempDir) (v1.Descriptor, error) {
	pr, pw := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = pw.CloseWithError(f.write(ctx, pw)) // the reader gets the error
	}()
	h, n, err := addBlob(ctx, tmp, pr)
	_ = pr.CloseWithError(err)
	<-ended
	return v1.Descriptor{MediaType: types.OCIUncompressedLayer, Digest: h, Size: n}, err
}

// describe writes the configuration and the manifest of a one-layer image.
func (r *resolver) describe(ctx context.Context, tmp *tempDir, layer v1.Descriptor, run v1.Config) (*v1.Descriptor, *v1.Manifest, error) {
	config, err := json.Marshal(v1.ConfigFile{
		OS: r.platform.OS, Architecture: r.platform.Architecture, Variant: r.platform.Variant,
		Created: v1.Time{Time: epoch}, Config: run,
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{layer.Digest}},
		History: []v1.History{{Created: v1.Time{Time: epoch}, CreatedBy: "brine " + string(r.ref.Kind)}},
	})
	if err != nil {
		return nil, nil, err
	}
	m := &v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{layer}}
	if m.Config, err = storeDocument(ctx, tmp, types.OCIConfigJSON, config); err != nil {
		return nil, nil, err
	}
	return storeManifest(ctx, tmp, m)
}
