package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// headTimeout bounds the question whether a tag has moved, after which the
// cached image is used.
const headTimeout = 10 * time.Second

// registry resolves a reference to a registry.
//
//	NAME@sha256:… or #sha256:…   in the cache: no word to the registry
//	NAME:TAG                     HEAD: unmoved → cache; moved → pull what is missing;
//	                             no answer → cache, and a notice
func (r *resolver) registry(ctx context.Context) (*Image, error) {
	key := r.key(r.ref.Name.Name())
	known, have := r.lookup(key)
	_, byDigest := r.ref.Name.(name.Digest)
	if have && (byDigest || r.ref.Pin != "") {
		if img := r.cached(known.Digest); img != nil {
			return img, r.checkPin(img.Digest, known.Source)
		}
	}
	unlock, err := r.lock(ctx, key, r.ref.Text)
	if err != nil {
		return nil, err
	}
	defer unlock()
	src, err := r.newRemote(ctx)
	if err != nil {
		return nil, err
	}
	top, err := r.ask(ctx, src)
	if err != nil {
		return r.withoutRegistry(ctx, key, err)
	}
	if known, have = r.lookup(key); have && known.Source == top.Digest.String() {
		if img := r.cached(known.Digest); img != nil {
			return img, r.checkPin(img.Digest, known.Source)
		}
	}
	img, err := r.pull(ctx, src, top)
	if err != nil {
		var status *transport.Error
		if ctx.Err() == nil && errors.As(err, &status) {
			return nil, registryError(r.ref.Name, err)
		}
		return nil, err
	}
	tmp, err := r.draft()
	if err != nil {
		return nil, err
	}
	defer tmp.Close() //nolint:errcheck // what stays is swept later
	return img, r.record(tmp, key, entry{Ref: r.ref.Text, Digest: img.Digest, Source: top.Digest.String()})
}

// ask finds out what the reference means now.
func (r *resolver) ask(ctx context.Context, src *remoteSource) (v1.Descriptor, error) {
	if d, ok := r.ref.Name.(name.Digest); ok {
		h, err := v1.NewHash(d.DigestStr())
		return v1.Descriptor{Digest: h}, err
	}
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	if d, err := src.puller.Head(ctx, r.ref.Name); err == nil {
		return *d, nil
	}
	// Some registries do not answer HEAD; and only a GET says why not.
	d, err := src.puller.Get(ctx, r.ref.Name)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return d.Descriptor, nil
}

// pull fetches an image of which the registry has told the digest.
func (r *resolver) pull(ctx context.Context, src *remoteSource, top v1.Descriptor) (*Image, error) {
	chosen, err := r.choose(ctx, src, top)
	if err != nil {
		return nil, err
	}
	if err := r.checkPin(chosen.Digest.String(), append(chosen.via, top.Digest.String())...); err != nil {
		return nil, err
	}
	if img := r.cached(chosen.Digest.String()); img != nil {
		return img, nil
	}
	begin := time.Now()
	r.say("pulling")
	img, err := r.cachedOrBrought(ctx, src, chosen.Descriptor)
	if err == nil {
		r.say("pulled, %s in %s", size(img.Size), time.Since(begin).Round(100*time.Millisecond))
	}
	return img, err
}

// withoutRegistry takes the cached image when the registry does not answer.
func (r *resolver) withoutRegistry(ctx context.Context, key string, cause error) (*Image, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if known, ok := r.lookup(key); ok && unavailable(cause) {
		if img := r.cached(known.Digest); img != nil {
			r.say("%s does not answer; taking the cached image, last checked %s (%s)",
				r.ref.Name.Context().RegistryStr(), known.Checked.Local().Format("2006-01-02 15:04"), firstLine(cause))
			return img, r.checkPin(img.Digest, known.Source)
		}
	}
	return nil, registryError(r.ref.Name, cause)
}

// unavailable tells a registry that is out of reach from one that says no.
func unavailable(err error) bool {
	var status *transport.Error
	if errors.As(err, &status) {
		return status.StatusCode >= 500 || status.StatusCode == http.StatusTooManyRequests
	}
	return true
}

func registryError(ref name.Reference, err error) error {
	registry := ref.Context().RegistryStr()
	var status *transport.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &status):
		err = fmt.Errorf("%s: %w", registry, err)
		switch status.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return hinted(err, fmt.Sprintf("`docker login %s` stores credentials where they are looked for; registries also say so of names that do not exist", registry))
		case http.StatusNotFound:
			return hinted(err, fmt.Sprintf("%s has no %s; check the name and the tag", registry, ref.Context().RepositoryStr()+" "+ref.Identifier()))
		case http.StatusTooManyRequests:
			return hinted(err, fmt.Sprintf("wait, or `docker login %s` for a higher limit", registry))
		}
		return err
	case errors.As(err, &dns), unavailable(err):
		return hinted(fmt.Errorf("%s cannot be reached and the image is not in the cache: %w", registry, err),
			"check the network (HTTPS_PROXY is honoured); oci:, archive:, go: and host: images need no registry")
	}
	return err
}

// remoteSource is one repository of a registry.
type remoteSource struct {
	repo   name.Repository
	puller *remote.Puller
}

func (r *resolver) newRemote(ctx context.Context) (*remoteSource, error) {
	repo := r.ref.Name.Context()
	auth, err := authn.Resolve(ctx, keychain(), repo)
	if err != nil {
		// A helper that is not installed here must not stop a public image.
		r.say("the credentials for %s cannot be read, going on without (%s)", repo.RegistryStr(), firstLine(err))
		auth = authn.Anonymous
	}
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.ResponseHeaderTimeout = 30 * time.Second
	puller, err := remote.NewPuller(remote.WithTransport(httpsUnlessLoopback{t}), remote.WithAuth(auth),
		remote.WithRetryBackoff(remote.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 3}),
		remote.WithUserAgent("brine"))
	if err != nil {
		return nil, err
	}
	return &remoteSource{repo: repo, puller: puller}, nil
}

func (s *remoteSource) open(ctx context.Context, d v1.Descriptor, document bool) (io.ReadCloser, error) {
	ref := s.repo.Digest(d.Digest.String())
	if document {
		got, err := s.puller.Get(ctx, ref)
		if err != nil {
			return nil, err
		}
		if got.MediaType == types.DockerManifestSchema1 || got.MediaType == types.DockerManifestSchema1Signed {
			return nil, fmt.Errorf("%s: a manifest of schema 1, which was given up in 2017", d.Digest)
		}
		return io.NopCloser(bytes.NewReader(got.Manifest)), nil
	}
	layer, err := s.puller.Layer(ctx, ref)
	if err != nil {
		return nil, err
	}
	return layer.Compressed()
}
