package upstream

import "golang.org/x/sys/unix"

// acknowledgedBytes is tcpi_bytes_acked of tcp(7), or 0 where it cannot be had.
func acknowledgedBytes(fd int) uint64 {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Bytes_acked
}
