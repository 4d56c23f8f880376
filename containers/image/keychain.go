package image

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// keychain finds credentials as docker and podman do; under sudo those of the
// user who called it count too, after root's.
func keychain() authn.Keychain {
	if user, ok := invoker(); ok {
		return authn.NewMultiKeychain(authn.DefaultKeychain, dockerConfig(filepath.Join(user.home, ".docker")))
	}
	return authn.DefaultKeychain
}

// dockerConfig is a folder with a docker client's config.json.
type dockerConfig string

// Resolve implements authn.Keychain.
func (d dockerConfig) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return d.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (d dockerConfig) ResolveContext(_ context.Context, target authn.Resource) (authn.Authenticator, error) {
	file, err := config.Load(string(d))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	for _, key := range []string{target.String(), target.RegistryStr()} {
		if key == name.DefaultRegistry {
			key = authn.DefaultAuthKey
		}
		got, err := file.GetAuthConfig(key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d, err)
		}
		got.ServerAddress = ""
		if got != (types.AuthConfig{}) {
			return authn.FromConfig(authn.AuthConfig{Username: got.Username, Password: got.Password, Auth: got.Auth,
				IdentityToken: got.IdentityToken, RegistryToken: got.RegistryToken}), nil
		}
	}
	return authn.Anonymous, nil
}

// httpsUnlessLoopback refuses plain http to other machines, which the
// registry client would fall back to for private networks: an image or a
// password would be open to whoever is on the way.
type httpsUnlessLoopback struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t httpsUnlessLoopback) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return nil, hinted(fmt.Errorf("%s: plain http is for registries of this machine only", req.URL.Host), "serve the registry with TLS")
	}
	return t.inner.RoundTrip(req)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
