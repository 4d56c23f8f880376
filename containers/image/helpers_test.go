package image

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// bench is a cache of a test's own, with what was said to the user.
type bench struct {
	*testing.T
	cache, base string
	platform    string
	mu          sync.Mutex
	lines       []string
}

func newBench(t *testing.T) *bench {
	return &bench{T: t, cache: t.TempDir(), base: t.TempDir(), platform: "linux/amd64"}
}

func (b *bench) config() Config {
	return Config{CacheDir: b.cache, Platform: b.platform, Progress: func(line string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines = append(b.lines, line)
	}}
}

func (b *bench) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}

func (b *bench) try(ref string) (*Image, error) {
	return Resolve(b.Context(), b.config(), ref, b.base)
}

// resolve resolves and checks the layout with the registry library.
func (b *bench) resolve(ref string) *Image {
	b.Helper()
	img, err := b.try(ref)
	if err != nil {
		b.Fatal(err)
	}
	b.check(img)
	return img
}

func (b *bench) open(img *Image) v1.Image {
	b.Helper()
	h, err := v1.NewHash(img.Digest)
	if err != nil {
		b.Fatal(err)
	}
	p, err := layout.FromPath(img.LayoutDir)
	if err != nil {
		b.Fatal(err)
	}
	got, err := p.Image(h)
	if err != nil {
		b.Fatal(err)
	}
	return got
}

// check reads the image with the registry library, which checks digests, and
// each layer's uncompressed digest against the configuration.
func (b *bench) check(img *Image) {
	b.Helper()
	got := b.open(img)
	if digestOf(b.T, got) != img.Digest {
		b.Fatalf("%s: the manifest is not %s", img.Ref, img.Digest)
	}
	config, err := got.ConfigFile()
	if err != nil {
		b.Fatal(err)
	}
	layers, err := got.Layers()
	if err != nil {
		b.Fatal(err)
	}
	for i, l := range layers {
		rc, err := l.Uncompressed()
		if err != nil {
			b.Fatal(err)
		}
		h, _, err := v1.SHA256(rc)
		if err != nil || h != config.RootFS.DiffIDs[i] {
			b.Fatalf("%s: layer %d is %s, expected %s (%v)", img.Ref, i, h, config.RootFS.DiffIDs[i], err)
		}
	}
}

// fails wants an error with each of the texts in it, and nothing left behind.
func (b *bench) fails(ref string, texts ...string) {
	b.Helper()
	img, err := b.try(ref)
	if err == nil {
		b.Fatalf("%s: expected an error, got %s", ref, img.Digest)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			b.Errorf("%s: expected %q in the error, got: %v", ref, text, err)
		}
	}
	b.noLeftovers()
}

func (b *bench) noLeftovers() {
	b.Helper()
	if left := b.files("images/tmp"); len(left) > 0 {
		b.Errorf("left behind: %s", left)
	}
}

// files lists the files below a folder of the cache.
func (b *bench) files(dir string) []string {
	b.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(b.cache, dir), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, p)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.Fatal(err)
	}
	return found
}

// sample is a random image for a platform.
func sample(t *testing.T, platform string, layers int, bytes int64) v1.Image {
	t.Helper()
	img, err := random.Image(bytes, int64(layers))
	if err != nil {
		t.Fatal(err)
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	config.Config = v1.Config{Entrypoint: []string{"/bin/app"}, Cmd: []string{"serve"}, Env: []string{"A=1"}, WorkingDir: "/srv", User: "7", ExposedPorts: map[string]struct{}{"80/tcp": {}, "443/tcp": {}}}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, img interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// unpack lays the files of an image out in a folder.
func (b *bench) unpack(img *Image) string {
	b.Helper()
	root := b.TempDir()
	rc := mutate.Extract(b.open(img))
	defer rc.Close() //nolint:errcheck // only read
	tr := tar.NewReader(rc)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			b.Fatal(err)
		}
		to := filepath.Join(root, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(to, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, to)
		default:
			var raw []byte
			if raw, err = io.ReadAll(tr); err == nil {
				err = os.WriteFile(to, raw, fs.FileMode(h.Mode).Perm())
			}
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}
