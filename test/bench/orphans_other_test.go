//go:build !linux

package bench

import "errors"

func adoptOrphans() error { return errors.New("this measurement runs on Linux only") }
