package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	dockertar "github.com/google/go-containerregistry/pkg/v1/tarball"
)

// writeLayout writes images as a folder in the OCI layout.
func (b *bench) writeLayout(dir string, images ...v1.Image) {
	b.Helper()
	p, err := layout.Write(filepath.Join(b.base, dir), empty.Index)
	if err != nil {
		b.Fatal(err)
	}
	for _, img := range images {
		if err := p.AppendImage(img); err != nil {
			b.Fatal(err)
		}
	}
}

// pack makes a tar of a folder, as skopeo does for an OCI archive.
func (b *bench) pack(dir, file string, compress bool) {
	b.Helper()
	var raw bytes.Buffer
	tw := tar.NewWriter(&raw)
	if err := tw.AddFS(os.DirFS(filepath.Join(b.base, dir))); err != nil {
		b.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		b.Fatal(err)
	}
	b.save(file, raw.Bytes(), compress)
}

func (b *bench) save(file string, raw []byte, compress bool) {
	b.Helper()
	if compress {
		var small bytes.Buffer
		zw := gzip.NewWriter(&small)
		if _, err := zw.Write(raw); err != nil {
			b.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			b.Fatal(err)
		}
		raw = small.Bytes()
	}
	write(b.T, filepath.Join(b.base, file), string(raw))
}

// dockerSave writes images as `docker save` does.
func (b *bench) dockerSave(file string, compress bool, images map[string]v1.Image) {
	b.Helper()
	tagged := map[name.Tag]v1.Image{}
	for text, img := range images {
		tag, err := name.NewTag(text)
		if err != nil {
			b.Fatal(err)
		}
		tagged[tag] = img
	}
	var raw bytes.Buffer
	if err := dockertar.MultiWrite(tagged, &raw); err != nil {
		b.Fatal(err)
	}
	b.save(file, raw.Bytes(), compress)
}

func tarOf(t *testing.T, headers ...*tar.Header) string {
	t.Helper()
	var raw bytes.Buffer
	tw := tar.NewWriter(&raw)
	for _, h := range headers {
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(make([]byte, h.Size)); err != nil && h.Typeflag == tar.TypeReg {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return raw.String()
}

func TestLayoutFolder(t *testing.T) {
	b := newBench(t)
	one, two := sample(t, "linux/amd64", 2, 1000), sample(t, "linux/amd64", 1, 1000)
	b.writeLayout("sub/one", one)
	if got := b.resolve("oci:sub/one"); got.Digest != digestOf(t, one) || got.Config.User != "7" {
		t.Errorf("got %+v", got)
	}
	b.resolve("oci:./sub/../sub/one#" + digestOf(t, one))
	b.resolve("oci:" + filepath.Join(b.base, "sub/one"))
	b.fails("oci:sub/one#"+someDigest, "expected digest "+someDigest, "got "+digestOf(t, one))
	b.writeLayout("both", one, two)
	b.fails("oci:both", "expected one image, got 2", "choose one by its digest")
	if got := b.resolve("oci:both#" + digestOf(t, two)); got.Digest != digestOf(t, two) {
		t.Errorf("got %s", got.Digest)
	}
	b.writeLayout("arm", sample(t, "linux/arm64", 1, 10))
	b.fails("oci:arm", "expected an image for linux/amd64, got one for linux/arm64")
	b.writeLayout("none")
	b.fails("oci:none", "an index without one")
	b.fails("oci:nowhere", "no such file", "hint: oci:DIR")
	b.fails("oci:none/index.json", "expected a folder, got a file", "archive:FILE.tar")
	// The folder is written anew.
	if err := os.RemoveAll(filepath.Join(b.base, "sub/one")); err != nil {
		t.Fatal(err)
	}
	b.writeLayout("sub/one", two)
	if got := b.resolve("oci:sub/one"); got.Digest != digestOf(t, two) {
		t.Errorf("the old image was given")
	}
}

func TestLayoutFolderDamaged(t *testing.T) {
	b := newBench(t)
	img := sample(t, "linux/amd64", 1, 1000)
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	blob := strings.ReplaceAll(digestOf(t, layers[0]), ":", "/")
	b.writeLayout("app", img)
	file := filepath.Join(b.base, "app/blobs", blob)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[9] ^= 1
	write(t, file, string(raw))
	b.fails("oci:app", "expected that digest")
	write(t, file, string(raw)+"more")
	b.fails("oci:app", "got more")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	b.fails("oci:app", "no such file")
	if err := os.Mkdir(file, 0o755); err != nil {
		t.Fatal(err)
	}
	b.fails("oci:app", "expected a file, got a folder")
	write(t, filepath.Join(b.base, "app/index.json"), `{"schemaVersion":2,"manifests":[{"digest":"sha256:../../../etc/passwd","size":10}]}`)
	b.fails("oci:app", "index.json: found non-hex")
	write(t, filepath.Join(b.base, "app/index.json"), `{"schemaVersion":2,"manifests":[{"digest":"`+someDigest+`","size":99999999999999}]}`)
	b.fails("oci:app", "expected between 0 and 32 GiB")
	write(t, filepath.Join(b.base, "app/index.json"), "nonsense")
	b.fails("oci:app", "expected a manifest in JSON")
	if left := b.files("images/blobs"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestArchives(t *testing.T) {
	for _, compress := range []bool{false, true} {
		b := newBench(t)
		img := sample(t, "linux/amd64", 2, 100_000)
		b.writeLayout("dir", img)
		b.pack("dir", "oci.tar", compress)
		if got := b.resolve("archive:oci.tar"); got.Digest != digestOf(t, img) {
			t.Errorf("OCI archive: expected %s, got %s", digestOf(t, img), got.Digest)
		}
		b.dockerSave("docker.tar", compress, map[string]v1.Image{"app:1": img})
		got := b.resolve("archive:docker.tar")
		if got.Config.WorkingDir != "/srv" || len(got.Layers) != 2 {
			t.Errorf("Docker archive: got %+v", got)
		}
		if again := b.resolve("archive:./docker.tar#" + got.Digest); again.Digest != got.Digest {
			t.Errorf("Docker archive: %s became %s", got.Digest, again.Digest)
		}
		b.fails("archive:docker.tar#"+someDigest, "expected digest "+someDigest, "got "+got.Digest)
		b.noLeftovers()
	}
}

func TestArchiveIsReadOnce(t *testing.T) {
	b := newBench(t)
	b.dockerSave("app.tar", true, map[string]v1.Image{"app:1": sample(t, "linux/amd64", 1, 1000)})
	file := filepath.Join(b.base, "app.tar")
	old := b.resolve("archive:app.tar")
	if names := b.files("images/names"); len(names) > 0 {
		t.Error("a stamp was trusted that a write in the same instant would not change")
	}
	waitSettled(t, file)
	b.resolve("archive:app.tar")
	if names := b.files("images/names"); len(names) != 1 {
		t.Errorf("expected one entry, got %v", names)
	}
	if got := b.resolve("archive:app.tar"); got.Digest != old.Digest {
		t.Errorf("got %s", got.Digest)
	}
	b.dockerSave("app.tar", true, map[string]v1.Image{"app:1": sample(t, "linux/amd64", 1, 1000)})
	if got := b.resolve("archive:app.tar"); got.Digest == old.Digest {
		t.Error("the archive was written anew and the old image was given")
	}
}

func TestArchiveErrors(t *testing.T) {
	b := newBench(t)
	file := func(content string) { write(t, filepath.Join(b.base, "x.tar"), content) }
	b.fails("archive:nowhere.tar", "no such file", "docker save")
	b.writeLayout("dir", sample(t, "linux/amd64", 1, 10))
	b.fails("archive:dir", "expected a file, got a folder", "oci:DIR")
	file("")
	b.fails("archive:x.tar", "an empty file")
	file(strings.Repeat("no tar ", 1000))
	b.fails("archive:x.tar", "expected a tar archive")
	file("\x1f\x8bno gzip")
	b.fails("archive:x.tar", "gzip")
	file("\x28\xb5\x2f\xfd....")
	b.fails("archive:x.tar", "zstd", "unzstd")
	file(tarOf(t, &tar.Header{Name: "readme", Size: 3, Typeflag: tar.TypeReg}))
	b.fails("archive:x.tar", "without index.json and manifest.json")
	file(tarOf(t, &tar.Header{Name: "../../etc/cron.d/x", Size: 3, Typeflag: tar.TypeReg}))
	b.fails("archive:x.tar", `"../../etc/cron.d/x" leads out of the archive`)
	file(tarOf(t, &tar.Header{Name: "manifest.json", Linkname: "../../etc/shadow", Typeflag: tar.TypeSymlink}))
	b.fails("archive:x.tar", "leads out of the archive")
	file(tarOf(t, &tar.Header{Name: "manifest.json", Linkname: "manifest.json", Typeflag: tar.TypeSymlink}))
	b.fails("archive:x.tar", "too many links")
	b.dockerSave("x.tar", false, map[string]v1.Image{"a:1": sample(t, "linux/amd64", 1, 1000), "b:1": sample(t, "linux/amd64", 1, 1000)})
	b.fails("archive:x.tar", "expected one image, got 2", "a:1")
	whole, err := os.ReadFile(filepath.Join(b.base, "x.tar"))
	if err != nil {
		t.Fatal(err)
	}
	file(string(whole[:len(whole)/2]))
	b.fails("archive:x.tar", "x.tar")
	if err := os.Truncate(filepath.Join(b.base, "x.tar"), maxBlob+1); err != nil {
		t.Fatal(err)
	}
	b.fails("archive:x.tar", "expected at most 32 GiB")
	if left := b.files("images/blobs"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDockerArchiveWithCompressedLayers: as bazel and kaniko write them.
func TestDockerArchiveWithCompressedLayers(t *testing.T) {
	b := newBench(t)
	img := sample(t, "linux/amd64", 2, 10_000)
	b.dockerSave("app.tar", false, map[string]v1.Image{"app:1": img})
	got := b.open(b.resolve("archive:app.tar"))
	m, err := got.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := got.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range m.Layers {
		if l.Digest != config.RootFS.DiffIDs[i] {
			t.Errorf("layer %d is stored compressed", i)
		}
	}
}

// waitSettled waits until a stamp of the file is trusted.
func waitSettled(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	left := time.Until(time.Unix(0, stampOf(info).Change).Add(settled + 10*time.Millisecond))
	select {
	case <-time.After(left):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
