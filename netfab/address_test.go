package netfab

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// TestAddresses demands of every port addresses of its own, within the
// prefixes, neither the gateway's nor ones that look like a network's or a
// broadcast address.
func TestAddresses(t *testing.T) {
	seen := map[string]int{gateway4.String(): -1, gateway6.String(): -1, GatewayMAC.String(): -1}
	for index := range MaxPorts {
		v4, v6 := addresses(index)
		for _, a := range []string{v4.String(), v6.String(), macOf(index).String()} {
			if other, taken := seen[a]; taken {
				t.Fatalf("port %d: %s is port %d's", index, a, other)
			}
			seen[a] = index
		}
		if last := v4.As4()[3]; !prefix4.Contains(v4) || !prefix6.Contains(v6) || last == 0 || last == 255 {
			t.Fatalf("port %d: %v and %v", index, v4, v6)
		}
	}
	for index, want := range map[int]string{0: "10.77.0.10 fd00:77::10", 1: "10.77.0.53 fd00:77::53", 2: "10.77.1.1 fd00:77::1:1", 251: "10.77.1.250 fd00:77::1:250", 252: "10.77.2.1 fd00:77::2:1"} {
		if v4, v6 := addresses(index); v4.String()+" "+v6.String() != want {
			t.Errorf("port %d: expected %s, got %v %v", index, want, v4, v6)
		}
	}
}

// FuzzReverse reads any name, and gets back each address that was made a name.
func FuzzReverse(f *testing.F) {
	for _, a := range []string{"10.77.1.2", "fd00:77::1:2", "::"} {
		name, err := dns.ReverseAddr(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name)
	}
	f.Add("1.2.3.4.5.in-addr.arpa.")
	f.Add("x.ip6.arpa")
	f.Fuzz(func(t *testing.T, name string) {
		a, ok := reverse(name)
		if !ok {
			return
		}
		again, err := dns.ReverseAddr(a.String())
		if err != nil {
			t.Fatalf("%q gave %v: %v", name, a, err)
		}
		if b, ok := reverse(again); !ok || b.Unmap() != a.Unmap() {
			t.Fatalf("%q gave %v, %q gave %v", name, a, again, b)
		}
	})
}

// FuzzRelayed takes any bytes for a packet of the tunnel.
func FuzzRelayed(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 77, 1, 1, 192, 0, 2, 1})
	f.Add([]byte{0x60})
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, packet []byte) { _, _ = relayed(packet) })
}

// TestCanonical compares names as the name server does.
func TestCanonical(t *testing.T) {
	if canonical("Node1.") != canonical("node1") {
		t.Error("Node1. is not node1")
	}
	if _, ok := newNameTable().lookup("node1"); ok {
		t.Error("an empty table knows node1")
	}
	if newNameTable().owner(netip.IPv6Unspecified()) != nil {
		t.Error("an empty table knows who :: is")
	}
}
