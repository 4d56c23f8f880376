package clock

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The machine code itself, on this machine, and the other one's under qemu-user
// where that is installed.
func TestBlob(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), "blobcall")
			build := exec.Command("go", "build", "-o", bin, "./testdata/blobcall")
			build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			args := []string{bin, "blob/blob_" + arch + ".o"}
			if arch != runtime.GOARCH {
				qemu, err := exec.LookPath(map[string]string{"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}[arch])
				if err != nil {
					t.Logf("built, not run: %v", err)
					return
				}
				args = append([]string{qemu}, args...)
			}
			began := time.Now()
			p := params{base: time.Now().Add(-10 * time.Hour).UnixNano(), offset: -int64(time.Hour), drift: 1 << 31} // 50% fast: +5h
			args = append(args, fmt.Sprint(p.base), fmt.Sprint(p.offset), fmt.Sprint(p.drift))
			out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want := map[string]time.Duration{"clock 0": 4 * time.Hour, "clock 5": 4 * time.Hour, "clock 11": 4 * time.Hour,
				"gettimeofday": 4 * time.Hour, "clock 1": 0, "clock 7": 0, "clock 4": 0}
			for line := range strings.Lines(string(out)) {
				for what, w := range want {
					var got int64
					if rest, ok := strings.CutPrefix(line, what+" "); ok {
						if _, err := fmt.Sscan(rest, &got); err != nil {
							t.Fatal(err)
						}
						if w != 0 { // and half as much again as has passed
							w += time.Since(began) / 4
						}
						if d := time.Duration(got) - w; d.Abs() > 200*time.Millisecond+time.Since(began)/4 {
							t.Errorf("%s: off by %v, want %v", what, time.Duration(got), w)
						}
						delete(want, what)
					}
				}
				if strings.HasPrefix(line, "bad") && line != "bad -22\n" {
					t.Error("an unknown clock gives ", line)
				}
				if strings.HasPrefix(line, "time") {
					var a, b int64
					if _, err := fmt.Sscan(line[5:], &a, &b); err != nil || a != b || time.Duration(a).Round(time.Minute) != 4*time.Hour {
						t.Error(line)
					}
				}
			}
			if len(want) > 0 {
				t.Errorf("not answered: %v in %s", want, out)
			}
		})
	}
}

// What Go computes is what the blob computes, to the nanosecond, and a change
// is continuous.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		now := rapid.Int64Range(1e18, 2e18).Draw(r, "now")
		p, err := params{}.then(now, Skew{
			Offset: time.Duration(rapid.Int64Range(-9e17, 9e17).Draw(r, "offset")),
			Rate:   rapid.Float64Range(0.01, 10).Draw(r, "rate"),
		})
		if err != nil {
			r.Fatal(err)
		}
		later := now + rapid.Int64Range(-1e12, 1e15).Draw(r, "later")
		gained := float64(later-p.base) * (p.rate() - 1)
		if d := float64(p.at(later)-later-p.offset) - gained; d < -1000 || d > 1000 {
			r.Errorf("off by %v ns", d)
		}
		q, err := p.then(later, Skew{Rate: rapid.Float64Range(0, 2).Draw(r, "next rate")})
		if err != nil {
			r.Skip("left the range of years")
		}
		if q.at(later) != p.at(later) {
			r.Errorf("jumps by %d ns", q.at(later)-p.at(later))
		}
		if _, got := decode(append(make([]byte, setAt), p.encode()...)); got != p {
			r.Errorf("%+v became %+v", p, got)
		}
	})
}
