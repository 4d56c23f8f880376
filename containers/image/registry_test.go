package image

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// hub is a registry on the loopback address that counts what it is asked and
// can be made to fail.
type hub struct {
	*bench
	server  *httptest.Server
	host    string
	auth    authn.Authenticator
	mu      sync.Mutex
	asked   []string // "GET /v2/…"
	trouble func(w http.ResponseWriter, r *http.Request) bool
}

func newHub(b *bench) *hub {
	h := &hub{bench: b, auth: authn.Anonymous}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked = append(h.asked, r.Method+" "+r.URL.Path)
		trouble := h.trouble
		h.mu.Unlock()
		if trouble == nil || !trouble(w, r) {
			inner.ServeHTTP(w, r)
		}
	}))
	b.Cleanup(h.server.Close)
	h.host = strings.TrimPrefix(h.server.URL, "http://")
	return h
}

func (h *hub) troubled(f func(w http.ResponseWriter, r *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trouble = f
}

// since gives what was asked that matches, and forgets it.
func (h *hub) since(part string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []string
	for _, a := range h.asked {
		if strings.Contains(a, part) {
			found = append(found, a)
		}
	}
	h.asked = nil
	return found
}

func (h *hub) push(tag string, img v1.Image) string {
	h.Helper()
	ref, err := name.ParseReference(h.host + "/" + tag)
	if err != nil {
		h.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(h.auth)); err != nil {
		h.Fatal(err)
	}
	h.since("")
	return h.host + "/" + tag
}

func TestRegistryPullsOnce(t *testing.T) {
	h := newHub(newBench(t))
	img := sample(t, "linux/amd64", 3, 10_000)
	ref := h.push("team/app:1", img)
	got := h.resolve(ref)
	if got.Digest != digestOf(t, img) {
		t.Errorf("expected %s, got %s", digestOf(t, img), got.Digest)
	}
	want := RunConfig{Entrypoint: []string{"/bin/app"}, Cmd: []string{"serve"}, Env: []string{"A=1"}, WorkingDir: "/srv", User: "7", ExposedPorts: []string{"443/tcp", "80/tcp"}}
	if fmt.Sprint(got.Config) != fmt.Sprint(want) {
		t.Errorf("expected %+v, got %+v", want, got.Config)
	}
	if n := len(h.since("GET /v2/team/app/blobs/")); n != 4 {
		t.Errorf("expected 4 blobs to be fetched, got %d", n)
	}
	h.resolve(ref)
	if asked := h.since("/team/app/"); !slices.Equal(asked, []string{"HEAD /v2/team/app/manifests/1"}) {
		t.Errorf("expected one HEAD for an unmoved tag, got %v", asked)
	}
	if !strings.Contains(h.said(), "pulled") {
		t.Errorf("no progress: %s", h.said())
	}
}

func TestRegistryTagMoves(t *testing.T) {
	h := newHub(newBench(t))
	base := sample(t, "linux/amd64", 2, 10_000)
	ref := h.push("app:1", base)
	h.resolve(ref)
	layers, err := sample(t, "linux/amd64", 1, 5_000).Layers()
	if err != nil {
		t.Fatal(err)
	}
	moved, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		t.Fatal(err)
	}
	h.push("app:1", moved)
	if got := h.resolve(ref); got.Digest != digestOf(t, moved) {
		t.Errorf("expected the moved tag's %s, got %s", digestOf(t, moved), got.Digest)
	}
	if n := len(h.since("GET /v2/app/blobs/")); n != 2 {
		t.Errorf("expected the new layer and configuration to be fetched, got %d blobs", n)
	}
}

func TestRegistryDigestNeedsNoRegistryTwice(t *testing.T) {
	h := newHub(newBench(t))
	img := sample(t, "linux/amd64", 1, 1000)
	tag := h.push("app:1", img)
	for _, ref := range []string{h.host + "/app@" + digestOf(t, img), tag + "#" + digestOf(t, img)} {
		h.resolve(ref)
		h.since("")
		h.resolve(ref)
		if asked := h.since(""); len(asked) > 0 {
			t.Errorf("%s: asked %v", ref, asked)
		}
	}
}

func TestRegistryPinMismatch(t *testing.T) {
	h := newHub(newBench(t))
	img := sample(t, "linux/amd64", 1, 1000)
	ref := h.push("app:1", img)
	h.fails(ref+"#"+someDigest, "expected digest "+someDigest, "got "+digestOf(t, img), "hint: the tag has moved")
	h.fails(h.host+"/app@"+someDigest, "MANIFEST_UNKNOWN", "hint: ")
}

func TestRegistryPlatforms(t *testing.T) {
	h := newHub(newBench(t))
	index := v1.ImageIndex(empty.Index)
	images := map[string]v1.Image{}
	for _, p := range []string{"linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8", "windows/amd64"} {
		images[p] = sample(t, p, 1, 1000)
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: images[p], Descriptor: v1.Descriptor{Platform: platform}})
	}
	ref, err := name.ParseReference(h.host + "/multi:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	for want, image := range map[string]string{"linux/amd64": "linux/amd64", "linux/arm": "linux/arm/v7", "linux/arm/v6": "linux/arm/v6", "linux/arm64": "linux/arm64/v8", "linux/arm64/v8": "linux/arm64/v8"} {
		h.platform = want
		if got := h.resolve(ref.String()); got.Digest != digestOf(t, images[image]) {
			t.Errorf("%s: got the image for another platform", want)
		}
	}
	h.platform = "linux/s390x"
	h.fails(ref.String(), "expected an image for linux/s390x", "linux/arm64/v8")
	h.platform = "linux/amd64"
	h.resolve(ref.String() + "#" + digestOf(t, index))
	h.resolve(ref.String() + "#" + digestOf(t, images["linux/amd64"]))
	h.fails(h.push("arm:1", sample(t, "linux/arm64", 1, 10)), "expected an image for linux/amd64, got one for linux/arm64")
	h.platform = "linux"
	h.fails(ref.String(), `platform "linux": expected OS/ARCH`)
}

func TestRegistryOffline(t *testing.T) {
	h := newHub(newBench(t))
	ref := h.push("app:1", sample(t, "linux/amd64", 1, 1000))
	want := h.resolve(ref)
	h.troubled(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true })
	if got := h.resolve(ref); got.Digest != want.Digest || !strings.Contains(h.said(), "does not answer; taking the cached image") {
		t.Errorf("bad gateway: got %s; said: %s", got.Digest, h.said())
	}
	h.server.Close()
	h.lines = nil
	if got := h.resolve(ref); got.Digest != want.Digest || !strings.Contains(h.said(), "does not answer; taking the cached image") {
		t.Errorf("closed: got %s; said: %s", got.Digest, h.said())
	}
	h.fails(h.host+"/app:2", "cannot be reached and the image is not in the cache", "hint: check the network")
}

func TestRegistryAuth(t *testing.T) {
	b := newBench(t)
	h := newHub(b)
	h.auth = &authn.Basic{Username: "ann", Password: "s3cret"}
	h.troubled(func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, ok := r.BasicAuth(); ok && user == "ann" && password == "s3cret" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="hub"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	ref := h.push("private/app:1", sample(t, "linux/amd64", 1, 1000))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	h.fails(ref, "401", "docker login "+h.host)
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, h.host, base64.StdEncoding.EncodeToString([]byte("ann:s3cret")))
	write(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), config)
	h.resolve(ref)
	if strings.Contains(h.said(), "s3cret") {
		t.Error("the password was said")
	}
	// Under sudo the caller's own configuration counts too.
	home := t.TempDir()
	write(t, filepath.Join(home, ".docker", "config.json"), config)
	got, err := dockerConfig(filepath.Join(home, ".docker")).Resolve(mustRepo(t, h.host+"/private/app"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := authn.Authorization(context.Background(), got); err != nil || c.Username != "ann" {
		t.Errorf("expected ann, got %+v, %v", c, err)
	}
}

func mustRepo(t *testing.T, text string) name.Repository {
	t.Helper()
	repo, err := name.NewRepository(text)
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

func TestRegistryErrors(t *testing.T) {
	h := newHub(newBench(t))
	img := sample(t, "linux/amd64", 2, 1000)
	ref := h.push("app:1", img)
	h.fails(h.host+"/app:nope", "MANIFEST_UNKNOWN", "has no app nope")
	h.fails(h.host+"/nope:1", "NAME_UNKNOWN", "hint: ")
	h.troubled(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			_, _ = w.Write([]byte("not what you asked for"))
			return true
		}
		return false
	})
	h.fails(ref, "error verifying")
	if left := h.files("images/blobs"); len(left) > 0 {
		t.Errorf("wrong bytes were kept: %v", left)
	}
}

// TestRegistryGoesOn: a pull that broke off goes on with what had come.
func TestRegistryGoesOn(t *testing.T) {
	h := newHub(newBench(t))
	img := sample(t, "linux/amd64", 4, 1000)
	ref := h.push("app:1", img)
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	last := digestOf(t, layers[3])
	h.troubled(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, last) {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	h.fails(ref, "403")
	h.troubled(nil)
	h.since("")
	h.resolve(ref)
	if n := len(h.since("/blobs/")); n >= 5 {
		t.Errorf("all %d blobs were fetched again", n)
	}
}

func TestRegistryConcurrent(t *testing.T) {
	h := newHub(newBench(t))
	img := sample(t, "linux/amd64", 3, 200_000)
	ref := h.push("app:1", img)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got, err := h.try(ref); err != nil || got.Digest != digestOf(t, img) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := len(h.since("GET /v2/app/blobs/")); n != 4 {
		t.Errorf("expected 4 blobs to be fetched once, got %d", n)
	}
	h.noLeftovers()
}

func TestRegistryCancelled(t *testing.T) {
	h := newHub(newBench(t))
	ref := h.push("app:1", sample(t, "linux/amd64", 1, 1000))
	ctx, cancel := context.WithCancel(t.Context())
	h.troubled(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		cancel()
		<-r.Context().Done()
		return true
	})
	_, err := Resolve(ctx, h.config(), ref, "")
	if err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("expected the context's end, got %v", err)
	}
	h.noLeftovers()
}

func TestPlainHTTPIsForLoopback(t *testing.T) {
	rt := httpsUnlessLoopback{http.DefaultTransport}
	for _, url := range []string{"http://10.0.0.1:5000/v2/", "http://registry.example/v2/", "http://192.168.1.1/v2/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "plain http is for registries of this machine only") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func TestRegistryBrokenCredentials(t *testing.T) {
	h := newHub(newBench(t))
	ref := h.push("app:1", sample(t, "linux/amd64", 1, 1000))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	write(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), `{"credsStore":"no-such-helper"}`)
	h.resolve(ref)
	write(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), `{"auths":`)
	h.resolve(strings.Replace(ref, "127.0.0.1", "localhost", 1))
	if !strings.Contains(h.said(), "going on without") {
		t.Errorf("said: %s", h.said())
	}
}
