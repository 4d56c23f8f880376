package containers

import (
	"context"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/rootfs"
	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// unpack makes the snapshots of an image's layers and returns the key of the
// topmost. The layers pass through the content store and are dropped from it
// again: nothing needs them once they are unpacked, and they would fill memory.
func (rt *Runtime) unpack(ctx context.Context, layoutDir, imageDigest string) (string, error) {
	ctx = rt.sharedCtx(ctx)
	layers, descs, err := readLayers(layoutDir, imageDigest)
	if err != nil {
		return "", err
	}
	diffs := make([]digest.Digest, len(descs))
	for i, l := range descs {
		diffs[i] = l.Diff.Digest
	}
	chain := identity.ChainID(diffs).String()
	if chain == "" {
		return "", fmt.Errorf("%s: an image without layers", layoutDir)
	}
	if have, err := rt.retain(ctx, chain); err != nil || have {
		return chain, err
	}
	temp, err := rt.client.LeasesService().Create(ctx, leases.WithRandomID(), leases.WithLabel(labelRun, rt.cfg.RunID))
	if err != nil {
		return "", fmt.Errorf("lease: %w", err)
	}
	defer func() {
		ctx, cancel := undo(ctx)
		defer cancel()
		_ = rt.client.LeasesService().Delete(ctx, temp) // a sweep removes what is left
	}()
	leased := leases.WithLease(ctx, temp.ID)
	store := rt.client.ContentStore()
	for i, l := range layers {
		if err := ingest(leased, store, descs[i].Blob, l); err != nil {
			return "", err
		}
	}
	if _, err := rootfs.ApplyLayers(leased, descs, rt.client.SnapshotService(rt.snapshotter), rt.client.DiffService()); err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	if have, err := rt.retain(ctx, chain); err != nil || !have {
		return "", fmt.Errorf("snapshot %s is gone: %w", chain, err)
	}
	return chain, nil
}

// retain puts a snapshot under the leases that keep it, and tells whether it
// is there.
func (rt *Runtime) retain(ctx context.Context, chain string) (bool, error) {
	sn := rt.client.SnapshotService(rt.snapshotter)
	if _, err := sn.Stat(ctx, chain); err != nil {
		return false, ignoreGone(err)
	}
	keep := []leases.Lease{rt.lease}
	if rt.engine != nil {
		keep = append(keep, leases.Lease{ID: imagesLease})
	}
	for _, lease := range keep {
		err := rt.client.LeasesService().AddResource(ctx, lease, leases.Resource{ID: chain, Type: "snapshots/" + rt.snapshotter})
		if err != nil {
			return false, fmt.Errorf("lease %s: %w", lease.ID, err)
		}
	}
	_, err := sn.Stat(ctx, chain) // it may have been collected meanwhile
	return err == nil, ignoreGone(err)
}

// readLayers lists the layers of one image of a layout.
func readLayers(dir, imageDigest string) ([]v1.Layer, []rootfs.Layer, error) {
	hash, err := v1.NewHash(imageDigest)
	if err != nil {
		return nil, nil, err
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		return nil, nil, err
	}
	img, err := path.Image(hash)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(layers) != len(config.RootFS.DiffIDs) || len(layers) != len(manifest.Layers) {
		return nil, nil, fmt.Errorf("%s: %d layers, %d diff ids", dir, len(layers), len(config.RootFS.DiffIDs))
	}
	var out []rootfs.Layer
	for i, m := range manifest.Layers {
		out = append(out, rootfs.Layer{
			Diff: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.Digest(config.RootFS.DiffIDs[i].String())},
			Blob: ocispec.Descriptor{MediaType: string(m.MediaType), Digest: digest.Digest(m.Digest.String()), Size: m.Size},
		})
	}
	return layers, out, nil
}

// ingest copies one layer, as it is stored, into the content store.
func ingest(ctx context.Context, store content.Store, desc ocispec.Descriptor, l v1.Layer) error {
	r, err := l.Compressed()
	if err != nil {
		return fmt.Errorf("layer %s: %w", desc.Digest, err)
	}
	defer r.Close() //nolint:errcheck // read only
	err = content.WriteBlob(ctx, store, "brine-"+desc.Digest.String(), io.LimitReader(r, desc.Size), desc)
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("layer %s: %w", desc.Digest, err)
	}
	return nil
}
