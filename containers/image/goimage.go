package image

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// buildFlags make a program that depends on its source alone, and leave
// debugging tables out, which are a third of its size. Symbols stay, for
// profilers and stack traces.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-w"}

// goPrograms resolves go: each package becomes a program at /NAME, the first
// is the entrypoint.
func (r *resolver) goPrograms(ctx context.Context) (*Image, error) {
	tool, err := findGo(ctx)
	if err != nil {
		return nil, err
	}
	tool = tool.with("CGO_ENABLED=0", "GO111MODULE=on", "GOOS="+r.platform.OS, "GOARCH="+r.platform.Architecture)
	if v := r.platform.Variant; r.platform.Architecture == "arm" && v != "" {
		tool.set("GOARM", strings.TrimPrefix(v, "v"))
	}
	key := r.key(tool.print, strings.Join(buildFlags, " "), packageList(r.ref.Packages), baseIdentity())
	known, have := r.lookup(key)
	if have && allFixed(r.ref.Packages) {
		if img := r.cached(known.Digest); img != nil {
			return img, r.checkPin(img.Digest)
		}
	}
	if r.held, err = r.draft(); err != nil {
		return nil, err
	}
	defer r.held.Close() //nolint:errcheck // what stays is swept later
	f := newRootfs()
	f.addBase()
	var entrypoint string
	for i, p := range r.ref.Packages {
		prog, err := r.program(ctx, tool, p)
		var offline *resolveError
		if have && errors.As(err, &offline) && ctx.Err() == nil {
			if img := r.cached(known.Digest); img != nil {
				r.say("the version cannot be looked up; taking the image built %s (%s)", known.Checked.Local().Format("2006-01-02 15:04"), firstLine(err))
				return img, r.checkPin(img.Digest)
			}
		}
		if err != nil {
			return nil, err
		}
		if _, taken := f.nodes[prog.name]; taken {
			return nil, hinted(fmt.Errorf("package %s: its program would be /%s, which is there already", p, prog.name), "put one of them into an image of its own")
		}
		f.put(prog.name, node{mode: 0o755, file: prog.file, identity: prog.digest})
		if i == 0 {
			entrypoint = path.Join("/", prog.name)
		}
	}
	img, err := r.build(ctx, f, v1.Config{Entrypoint: []string{entrypoint}, Env: []string{searchPathWith("/")}, WorkingDir: "/"}, true)
	if err != nil || anyLocal(r.ref.Packages) {
		return img, err
	}
	return img, r.record(r.held, key, entry{Ref: r.ref.Text, Digest: img.Digest})
}

func packageList(pkgs []Package) string {
	var all []string
	for _, p := range pkgs {
		all = append(all, p.String())
	}
	return strings.Join(all, "+")
}

// allFixed says whether the packages can mean only one source: a release,
// neither a branch nor what is at hand.
func allFixed(pkgs []Package) bool {
	for _, p := range pkgs {
		if !fixedVersion.MatchString(p.Version) {
			return false
		}
	}
	return true
}

func anyLocal(pkgs []Package) bool {
	for _, p := range pkgs {
		if p.Local() {
			return true
		}
	}
	return false
}

func baseIdentity() string {
	f := newRootfs()
	f.addBase()
	return f.identity()
}

// program builds one package, or takes it from the cache.
func (r *resolver) program(ctx context.Context, tool *goTool, p Package) (program, error) {
	if p.Local() {
		return r.localProgram(ctx, tool, p)
	}
	prog, err := r.moduleProgram(ctx, tool, p)
	var unresolved *resolveError
	if p.Inherited && errors.As(err, &unresolved) && ctx.Err() == nil {
		newest := Package{Path: p.Path, Version: "latest"}
		other, lerr := r.moduleProgram(ctx, tool, newest)
		if lerr == nil {
			r.say("%s has no version %s; %s was taken", p.Path, p.Version, other.version)
			return other, nil
		}
	}
	return prog, err
}
