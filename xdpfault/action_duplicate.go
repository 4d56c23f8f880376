package xdpfault

// Duplicate sends a share of the packets twice.
type Duplicate struct {
	Share float64 // 0 to 1
}

func (d Duplicate) encode(k *verdictRule) error {
	k.Action = actDuplicate
	return encodeShare(k, "duplication", d.Share)
}

func (Duplicate) perWirePacket() {}
