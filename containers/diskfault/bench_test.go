package diskfault

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// How the disk without rules compares with a plain folder of the same file
// system. Each benchmark does the same work in turns on all three, so that what
// else the machine does hits them alike, and reports medians: the
// plain folder's speed, and the others' share of it. See bench/idle.txt.
//
//	go test -run '^$' -bench . -benchtime 1x ./containers/diskfault

// rounds is how often each place has its turn.
const rounds = 9

type place struct{ name, dir string }

func places(b *testing.B) []place {
	b.Helper()
	d := newDisk(b)
	no := newDisk(b, func(c *Config) { c.NoUndo = true })
	return []place{{"plain", b.TempDir()}, {"no_undo", no.dir}, {"undo", d.dir}}
}

// compare runs work, which returns how much it did, in each place in turns.
func compare(b *testing.B, unit string, work func(dir string) (float64, error)) {
	b.Helper()
	all := places(b)
	speeds := make([][]float64, len(all)) // and, but for the plain folder's, as shares of it
	for range b.N {
		for range rounds {
			for i, p := range all {
				start := time.Now()
				n, err := work(p.dir)
				if err != nil {
					b.Fatal(err)
				}
				speed := n / time.Since(start).Seconds()
				if i > 0 {
					speed /= speeds[0][len(speeds[0])-1]
				}
				speeds[i] = append(speeds[i], speed)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(speeds[0]), unit)
	for i, p := range all[1:] {
		b.ReportMetric(median(speeds[i+1]), p.name+"/plain")
	}
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

// writing opens a new file, writes it in pieces, calling after each, and removes
// it.
func writing(dir string, piece, n int, after func(fd int) error) error {
	f, err := os.Create(filepath.Join(dir, "bench"))
	if err != nil {
		return err
	}
	defer f.Close()
	data := make([]byte, piece)
	for i := range data {
		data[i] = byte(i) | 1
	}
	for range n {
		if _, err := f.Write(data); err != nil {
			return err
		}
		if err := after(int(f.Fd())); err != nil {
			return err
		}
	}
	return os.Remove(f.Name())
}

func nothing(int) error { return nil }

func BenchmarkWriteFdatasync(b *testing.B) {
	for _, size := range []int{512, 8192} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			compare(b, "syncs/s", func(dir string) (float64, error) { return 50, writing(dir, size, 50, unix.Fdatasync) })
		})
	}
}

func BenchmarkBufferedWrites(b *testing.B) {
	for _, size := range []int{128, 4096, 1 << 20} {
		n := min(20_000, 64<<20/size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			compare(b, "MB/s", func(dir string) (float64, error) {
				return float64(size) * float64(n) / 1e6, writing(dir, size, n, nothing)
			})
		})
	}
}

// Overwriting what is durable keeps what was there.
func BenchmarkOverwrite(b *testing.B) {
	data := make([]byte, 64<<10)
	compare(b, "MB/s", func(dir string) (float64, error) {
		f, err := os.OpenFile(filepath.Join(dir, "over"), os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		for i := range 256 {
			data[0] = byte(i)
			if _, err := f.WriteAt(data, int64(i)*int64(len(data))); err != nil {
				return 0, err
			}
		}
		return 256 * float64(len(data)) / 1e6, f.Sync()
	})
}

func BenchmarkReadCold(b *testing.B) {
	const size = 32 << 20
	buf := make([]byte, 1<<20)
	compare(b, "MB/s", func(dir string) (float64, error) {
		name := filepath.Join(dir, "read")
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Size() != size {
			for range size / len(buf) {
				if _, err := f.Write(buf); err != nil {
					return 0, err
				}
			}
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return 0, err
		}
		for at := 0; at < size; at += len(buf) {
			if _, err := f.ReadAt(buf, int64(at)); err != nil {
				return 0, err
			}
		}
		return size / 1e6, nil
	})
}

func BenchmarkCreateRenameUnlink(b *testing.B) {
	compare(b, "files/s", func(dir string) (float64, error) {
		for range 200 {
			tmp, name := filepath.Join(dir, "f.tmp"), filepath.Join(dir, "f")
			if err := os.WriteFile(tmp, nil, 0o644); err != nil {
				return 0, err
			}
			if err := os.Rename(tmp, name); err != nil {
				return 0, err
			}
			if err := os.Remove(name); err != nil {
				return 0, err
			}
		}
		return 200, nil
	})
}

// BenchmarkEffect is the time from asking to being in force.
func BenchmarkEffect(b *testing.B) {
	d := newDisk(b)
	f, err := os.Create(d.path("db"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 8<<20)); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		rule Rule
	}{{"full", Full()}, {"reads_fail", ReadsFail()}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				fault, err := d.Apply(c.rule)
				if err != nil {
					b.Fatal(err)
				}
				if err := fault.Heal(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("lose_power_1MiB", func(b *testing.B) {
		for range b.N {
			if _, err := f.WriteAt(make([]byte, 1<<20), 0); err != nil {
				b.Fatal(err)
			}
			if _, err := d.LosePower(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("start_and_close", func(b *testing.B) {
		for range b.N {
			ok(b, func() error {
				x := newDisk(b)
				return x.Close(b.Context())
			}())
		}
	})
}
