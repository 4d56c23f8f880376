package containers

import (
	"context"
	"fmt"
	"sync"

	"brine.test/brine/containers/image"
)

// Image is an image that is unpacked and ready to run.
type Image struct {
	Ref        string // as it was asked for
	Digest     string // "sha256:…" of the manifest
	Entrypoint []string
	Cmd        []string
	Env        []string // NAME=VALUE
	WorkingDir string
	User       string // USER, UID, USER:GROUP, UID:GID, or empty for root
	Volumes    []string
	StopSignal string // "SIGTERM"; empty where the image does not say

	chain string // the snapshot of its topmost layer
}

// imageEntry makes each image once, however many ask at a time.
type imageEntry struct {
	mu  sync.Mutex
	img *Image
}

// Image resolves a reference (building or pulling what the cache lacks),
// imports the image and unpacks it. Relative paths in it begin at base.
func (rt *Runtime) Image(ctx context.Context, ref, base string) (*Image, error) {
	entry := rt.imageEntry(ref + "\x00" + base)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if entry.img != nil {
		return entry.img, nil
	}
	found, err := image.Resolve(ctx, image.Config{CacheDir: rt.cfg.CacheDir, Progress: rt.cfg.Progress}, ref, base)
	if err != nil {
		return nil, err
	}
	img := &Image{
		Ref:        ref,
		Digest:     found.Digest,
		Entrypoint: found.Config.Entrypoint,
		Cmd:        found.Config.Cmd,
		Env:        found.Config.Env,
		WorkingDir: found.Config.WorkingDir,
		User:       found.Config.User,
		Volumes:    found.Config.Volumes,
		StopSignal: found.Config.StopSignal,
	}
	if img.chain, err = rt.unpack(ctx, found.LayoutDir, found.Digest); err != nil {
		return nil, fmt.Errorf("image %q: %w", ref, rt.explainFull(err))
	}
	entry.img = img
	return img, nil
}

func (rt *Runtime) imageEntry(key string) *imageEntry {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	entry := rt.images[key]
	if entry == nil {
		entry = &imageEntry{}
		rt.images[key] = entry
	}
	return entry
}
