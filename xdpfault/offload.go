package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// features is a set of a device's features, by the kernel's bit numbers,
// which differ between kernels and are found by name.
type features []uint32

func (f features) has(bit int) bool { return f[bit/32]>>(bit%32)&1 == 1 }

func (f features) set(bit int, on bool) {
	f[bit/32] &^= 1 << (bit % 32)
	if on {
		f[bit/32] |= 1 << (bit % 32)
	}
}

// ethSSFeatures asks for the names of features (ETH_SS_FEATURES, linux/ethtool.h).
const ethSSFeatures = 4

// segmentation are the feature bits that let a sender hand segments of more
// than one wire packet to its interface.
var segmentation sync.Map // struct{} -> []int, once a device has told

// setOffloads switches features of a device in this thread's namespace on or off.
func setOffloads(ifname string, which []int, on bool) (err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	active, err := activeFeatures(fd, ifname)
	if err != nil {
		return err
	}
	valid, requested := make(features, len(active)), make(features, len(active))
	for _, bit := range which {
		valid.set(bit, true)
		requested.set(bit, on)
	}
	// struct ethtool_sfeatures: command, words, then {valid, requested} each
	cmd := binary.NativeEndian.AppendUint32(nil, unix.ETHTOOL_SFEATURES)
	cmd = binary.NativeEndian.AppendUint32(cmd, uint32(len(active)))
	for i := range active {
		cmd = binary.NativeEndian.AppendUint32(cmd, valid[i])
		cmd = binary.NativeEndian.AppendUint32(cmd, requested[i])
	}
	return ethtool(fd, ifname, cmd)
}

// activeFeatures asks ETHTOOL_GFEATURES: command, words, then {available,
// requested, active, never changed} each.
func activeFeatures(fd int, ifname string) (features, error) {
	const words = 8 // of 32; kernels have 2
	cmd := make([]byte, 8+words*16)
	binary.NativeEndian.PutUint32(cmd, unix.ETHTOOL_GFEATURES)
	binary.NativeEndian.PutUint32(cmd[4:], words)
	if err := ethtool(fd, ifname, cmd); err != nil {
		return nil, err
	}
	active := make(features, min(words, int(binary.NativeEndian.Uint32(cmd[4:]))))
	for i := range active {
		active[i] = binary.NativeEndian.Uint32(cmd[8+i*16+8:])
	}
	return active, nil
}

// segmentationBits finds the bits of segmentation offloads by name.
func segmentationBits(ifname string) (_ []int, err error) {
	if bits, ok := segmentation.Load(struct{}{}); ok {
		return bits.([]int), nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	active, err := activeFeatures(fd, ifname)
	if err != nil {
		return nil, err
	}
	const nameLen, most = 32, 1024 // ETH_GSTRING_LEN; the kernel writes as many as it has
	cmd := make([]byte, 12+most*nameLen)
	binary.NativeEndian.PutUint32(cmd, unix.ETHTOOL_GSTRINGS)
	binary.NativeEndian.PutUint32(cmd[4:], ethSSFeatures)
	if err := ethtool(fd, ifname, cmd); err != nil {
		return nil, err
	}
	var bits []int
	for i := range min(int(binary.NativeEndian.Uint32(cmd[8:])), most, len(active)*32) {
		name, _, _ := strings.Cut(string(cmd[12+i*nameLen:12+(i+1)*nameLen]), "\x00")
		// generic segmentation is the kernel's own, which makes the wire packets
		if strings.HasSuffix(name, "-segmentation") && name != "tx-generic-segmentation" || name == "tx-gso-list" {
			bits = append(bits, i)
		}
	}
	if len(bits) == 0 {
		return nil, errors.New("the device names no segmentation features")
	}
	segmentation.Store(struct{}{}, bits)
	return bits, nil
}

func ethtool(fd int, ifname string, cmd []byte) error {
	var ifr struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(ifr.name[:unix.IFNAMSIZ-1], ifname)
	ifr.data = unsafe.Pointer(&cmd[0])
	var pin runtime.Pinner
	pin.Pin(&cmd[0])
	defer pin.Unpin()
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifr)))
	if errno != 0 {
		return fmt.Errorf("ethtool %s: %w", ifname, errno)
	}
	return nil
}
