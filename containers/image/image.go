package image

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Config tells where images are kept and for which machine they are.
type Config struct {
	// CacheDir is the product's cache; images lie in its folder images.
	// Empty: $BRINE_CACHE, else /var/cache/brine.
	CacheDir string
	// Progress gets one line of text at a time while something long goes on,
	// and every notice that the user should see. It may be called from
	// several goroutines. May be nil.
	Progress func(string)
	// Platform is OS/ARCH[/VARIANT], such as linux/arm64. Empty: this machine's.
	Platform string
}

// Image is an image that is in the cache, whole.
type Image struct {
	Ref       string // as it was written
	LayoutDir string // a folder in the OCI image layout with this one image in it
	Digest    string // "sha256:…" of the manifest
	Config    RunConfig
	Layers    []string // digests of the layers, lowest first
	Size      int64    // of all layers as stored, bytes
}

// RunConfig is what an image says about the process that it is made for.
type RunConfig struct {
	Entrypoint, Cmd  []string
	Env              []string // NAME=VALUE
	WorkingDir, User string
	ExposedPorts     []string // "2379/tcp"
	Volumes          []string
	StopSignal       string
	Labels           map[string]string
}

// Resolve turns a reference into an image of the cache: finds it there, or
// pulls, reads or builds it. Relative paths start at baseDir. It may be called
// by many goroutines and processes at once: what two of them need is made
// once. What fails leaves nothing behind.
func Resolve(ctx context.Context, cfg Config, ref, baseDir string) (*Image, error) {
	parsed, err := Parse(ref)
	if err != nil {
		return nil, err
	}
	platform, err := parsePlatform(cfg.Platform)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", ref, err)
	}
	s, err := openStore(cfg.CacheDir, cfg.Progress)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", ref, err)
	}
	r := &resolver{store: s, ref: parsed, base: baseDir, platform: platform, documents: map[v1.Hash]document{}}
	img, err := r.resolve(ctx)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", ref, explain(err, s.root))
	}
	s.pruneDaily(ctx)
	return img, nil
}

// resolver resolves one reference.
type resolver struct {
	*store
	ref      Ref
	base     string
	platform v1.Platform
	// documents holds the manifests read on the way to the image.
	documents map[v1.Hash]document
	// held keeps the programs of a go: reference until the image has them.
	held *tempDir
}

func (r *resolver) resolve(ctx context.Context) (*Image, error) {
	switch r.ref.Kind {
	case OCI:
		return r.layoutFolder(ctx)
	case Archive:
		return r.archive(ctx)
	case Go:
		return r.goPrograms(ctx)
	case Host:
		return r.hostProgram(ctx)
	default:
		return r.registry(ctx)
	}
}

// say passes a notice about this reference on.
func (r *resolver) say(format string, args ...any) {
	r.progress(r.ref.Text + ": " + fmt.Sprintf(format, args...))
}

// key names what the cache knows about this reference.
func (r *resolver) key(parts ...string) string {
	return keyOf(append([]string{string(r.ref.Kind), r.platform.String(), r.ref.Pin}, parts...)...)
}

// checkPin compares an image with the reference's pin. An index that led to
// the image may be what was pinned.
func (r *resolver) checkPin(manifest string, via ...string) error {
	if r.ref.Pin == "" || r.ref.Pin == manifest || slices.Contains(via, r.ref.Pin) {
		return nil
	}
	return hinted(fmt.Errorf("expected digest %s, got %s", r.ref.Pin, manifest), r.pinHint())
}

func (r *resolver) pinHint() string {
	switch r.ref.Kind {
	case Registry:
		return "the tag has moved; NAME@sha256:… takes the pinned image whatever the tag says now"
	case Go:
		return "another Go version, module version or source makes another program; pin the digest got if it is right"
	case Host:
		return "the program, a library of it or this machine's CA certificates changed; pin the digest got if it is right"
	default:
		return "the file is another image than the one that was pinned; pin the digest got if it is right"
	}
}

func newImage(ref, dir, digest string, m *v1.Manifest, c *v1.ConfigFile) *Image {
	img := &Image{Ref: ref, LayoutDir: dir, Digest: digest, Config: RunConfig{
		Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd, Env: c.Config.Env,
		WorkingDir: c.Config.WorkingDir, User: c.Config.User,
		ExposedPorts: keys(c.Config.ExposedPorts), Volumes: keys(c.Config.Volumes),
		StopSignal: c.Config.StopSignal, Labels: c.Config.Labels,
	}}
	for _, l := range m.Layers {
		img.Layers = append(img.Layers, l.Digest.String())
		img.Size += l.Size
	}
	return img
}

func keys(m map[string]struct{}) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
