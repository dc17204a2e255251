// Package image gets services out of OCI images without a container engine: it resolves references, unpacks images by
// digest, serves a small registry, and makes images of static binaries.
//
// An unpacked image is a directory, not a container. Its command is looked up inside of that directory, but a process runs
// without chroot: what a program or a script names at run time (an ELF interpreter, #!/bin/sh, /etc/hosts) is the host's.
// Static binaries are not concerned. Owners are not kept, permissions are reduced to 0755 and 0644, so that a service that
// was dropped to an unprivileged user can read its files and change none.
package image
