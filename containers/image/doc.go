// Package image turns what a feature file calls an image into an OCI image
// layout in the cache, from which containerd imports it.
//
//	nginx:1.27          ─► registry.go ─┐ blobs by digest,   ┌─ images/sha256-HEX/   the layout: one image,
//	oci:DIR             ─► ocidir.go   ─┤ each hashed as it  │                       hard links to
//	archive:FILE.tar    ─► archive.go  ─┼─► comes (store.go) ─┼─ images/blobs/        every blob, shared
//	go:PACKAGE@VERSION  ─► goimage.go  ─┤ one rename at the  ├─ images/names/        reference → digest
//	host:/PATH          ─► hostimage.go ┘ end (layout.go)    └─ images/programs/     what go: compiled
//
// An image that comes from elsewhere keeps its bytes, and so its digest. An
// image that is made here (go:, host:, and the manifest for a Docker archive)
// is one uncompressed layer with fixed times: the same input gives the same
// digest, and nothing is deflated only to be inflated by containerd.
//
//	img, err := image.Resolve(ctx, image.Config{CacheDir: "/var/cache/brine", Progress: say},
//	    "go:go.etcd.io/etcd/server/v3@v3.6.8+go.etcd.io/etcd/etcdctl/v3", featureDir)
//	img.LayoutDir         // …/images/sha256-bb9a…: oci-layout, index.json, blobs/
//	img.Digest            // sha256:bb9a…
//	img.Config.Entrypoint // ["/server"]
//
// The package owns the folder images of the cache and, under sudo, folders
// brine-build-* in the temporary folder while a build goes on. It makes no
// kernel object. All of the cache can be deleted while no run goes on. Format
// of layouts and manifests: OCI image specification 1.1.
package image
