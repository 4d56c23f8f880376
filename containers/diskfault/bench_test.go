package diskfault

import (
	"bytes"
	"errors"
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

// compare runs work, which returns how much it did and in what time, in each place
// in turns.
func compare(b *testing.B, unit string, work func(dir string) (float64, time.Duration, error)) {
	b.Helper()
	all := places(b)
	speeds := make([][]float64, len(all)) // and, but for the plain folder's, as shares of it
	for range b.N {
		for range rounds {
			for i, p := range all {
				n, took, err := work(p.dir)
				if err != nil {
					b.Fatal(err)
				}
				speed := n / took.Seconds()
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

// writing is the time to write a new file in pieces, calling after each; making
// and removing the file is not counted.
func writing(dir string, piece, n int, after func(fd int) error) (took time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "bench"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	data := bytes.Repeat([]byte{1}, piece)
	start := time.Now()
	for range n {
		if _, err := f.Write(data); err != nil {
			return 0, err
		}
		if err := after(int(f.Fd())); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func nothing(int) error { return nil }

func BenchmarkWriteFdatasync(b *testing.B) {
	for _, size := range []int{512, 8192} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			compare(b, "syncs/s", func(dir string) (float64, time.Duration, error) {
				took, err := writing(dir, size, 50, unix.Fdatasync)
				return 50, took, err
			})
		})
	}
}

func BenchmarkBufferedWrites(b *testing.B) {
	for _, size := range []int{128, 4096, 1 << 20} {
		n := min(20_000, 64<<20/size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			compare(b, "MB/s", func(dir string) (float64, time.Duration, error) {
				took, err := writing(dir, size, n, nothing)
				return float64(size) * float64(n) / 1e6, took, err
			})
		})
	}
}

// prepared opens a file of a size whose content is durable.
func prepared(dir string, size int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "prepared"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{2}, size), 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, f.Sync()
}

// Overwriting what is durable keeps what was there.
func BenchmarkOverwrite(b *testing.B) {
	const size, piece = 16 << 20, 64 << 10
	data := bytes.Repeat([]byte{3}, piece)
	compare(b, "MB/s", func(dir string) (float64, time.Duration, error) {
		f, err := prepared(dir, size)
		if err != nil {
			return 0, 0, err
		}
		defer f.Close()
		start := time.Now()
		for at := 0; at < size; at += piece {
			if _, err := f.WriteAt(data, int64(at)); err != nil {
				return 0, 0, err
			}
		}
		return size / 1e6, time.Since(start), nil
	})
}

func BenchmarkReadCold(b *testing.B) {
	const size = 32 << 20
	buf := make([]byte, 1<<20)
	compare(b, "MB/s", func(dir string) (float64, time.Duration, error) {
		f, err := prepared(dir, size)
		if err != nil {
			return 0, 0, err
		}
		defer f.Close()
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return 0, 0, err
		}
		start := time.Now()
		for at := 0; at < size; at += len(buf) {
			if _, err := f.ReadAt(buf, int64(at)); err != nil {
				return 0, 0, err
			}
		}
		return size / 1e6, time.Since(start), nil
	})
}

func BenchmarkCreateRenameUnlink(b *testing.B) {
	compare(b, "files/s", func(dir string) (float64, time.Duration, error) {
		start := time.Now()
		for range 200 {
			tmp, name := filepath.Join(dir, "f.tmp"), filepath.Join(dir, "f")
			if err := os.WriteFile(tmp, nil, 0o644); err != nil {
				return 0, 0, err
			}
			if err := os.Rename(tmp, name); err != nil {
				return 0, 0, err
			}
			if err := os.Remove(name); err != nil {
				return 0, 0, err
			}
		}
		return 200, time.Since(start), nil
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
