package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	const output = `pkg: brine.test/brine/netfab
BenchmarkOfUnshare/3-2         	      10	  2.0 of-unshare
pkg: brine.test/brine/containers
BenchmarkCluster/nodes=25-2      	       3	       650.7 down-ms	      1402 up-ms
BenchmarkBareRunc-2              	       3	 896322138 ns/op	       896.0 up-ms
pkg: brine.test/brine/xdpfault
BenchmarkAccuracy/loss/1%-2      	       1	         0 ns/op	         1.023 lost-%	         0.7301 sigma
BenchmarkAccuracy/loss/10%       	       1	         0 ns/op	         9.500 lost-%	        -5.3 sigma
BenchmarkRule/inject+heal-2      	   90000	     13517 ns/op
BenchmarkRule/inject+heal-2      	   90000	     19517 ns/op
BenchmarkRule/inject+heal-2      	   90000	    913517 ns/op
`
	var out bytes.Buffer
	m, err := read(strings.NewReader(output), &out)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != output {
		t.Errorf("passed through: %q", out.String())
	}
	out.Reset()
	m.print(&out, table)
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"network of 3 nodes 2.0 × at most 2.7 met network",
		"25 containers ÷ runc alone 1.6 × at most 1.5 MISSED",
		"loss of 1% 0.73 σ -3 to 3 met loss",
		"loss of 10% -5.3 σ -3 to 3 MISSED",
		"one rule 20 µs at most 100 met split",
		"network of 100 – at most 2.3",
		"3 aims met, 2 missed",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0.9512: "0.95", 1.04: "1.0", 0.999: "1.0", 0: "0", 12.34: "12", 1234: "1200", 0.00123: "0.0012", -2.26: "-2.3"} {
		if got := short(v); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
}
