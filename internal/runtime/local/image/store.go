package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/singleflight"
)

const (
	// temporary begins the names of directories that are being written or removed.
	temporary  = ".tmp-"
	rootDir    = "rootfs"
	bundleFile = "bundle.json"
	// defaultMaxSize is a large image's size: some with whole toolchains in them have 3 GiB.
	defaultMaxSize = 4 << 30
)

// Store is a directory of unpacked images. Its methods may be called concurrently.
type Store struct {
	dir       string
	keychain  authn.Keychain
	maxSize   int64
	log       *slog.Logger
	unpacking singleflight.Group
}

// Option changes how a store works.
type Option func(*Store)

// WithKeychain tells where to find credentials for registries; otherwise it is the Docker configuration of the user.
func WithKeychain(keychain authn.Keychain) Option { return func(s *Store) { s.keychain = keychain } }

// WithMaxSize bounds the size in bytes that an unpacked image may have; otherwise it is 4 GiB.
func WithMaxSize(bytes int64) Option { return func(s *Store) { s.maxSize = bytes } }

// WithLogger tells where to log; otherwise nothing is logged.
func WithLogger(log *slog.Logger) Option { return func(s *Store) { s.log = log } }

// Open opens a store, creating the directory when it is missing, and clears away what was not finished. The directory
// itself can be entered by other users, as services must.
func Open(dir string, options ...Option) (*Store, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("creating the image store: %w", err)
	}
	unfinished, err := filepath.Glob(filepath.Join(dir, temporary+"*"))
	if err != nil {
		return nil, fmt.Errorf("looking for unfinished images: %w", err)
	}
	for _, path := range unfinished {
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("removing an unfinished image: %w", err)
		}
	}
	s := &Store{
		dir: dir, keychain: authn.DefaultKeychain, maxSize: defaultMaxSize, log: slog.New(slog.DiscardHandler),
	}
	for _, option := range options {
		option(s)
	}
	return s, nil
}

func (s *Store) options(ctx context.Context) []remote.Option {
	return remoteOptions(ctx, authOption(nil, s.keychain))
}

// path is where the image with a digest is, in a directory named ALGORITHM-HEX.
func (s *Store) path(digest string) string {
	return filepath.Join(s.dir, strings.Replace(digest, ":", "-", 1))
}

// load reads an image that was unpacked earlier.
func (s *Store) load(digest string) (Bundle, error) {
	data, err := os.ReadFile(filepath.Join(s.path(digest), bundleFile))
	if err != nil {
		return Bundle{}, err
	}
	bundle := Bundle{Root: filepath.Join(s.path(digest), rootDir)}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return Bundle{}, fmt.Errorf("reading unpacked image %s: %w", digest, err)
	}
	return bundle, nil
}

// abandoned is the error of an unpacking whose first caller went away.
type abandoned struct{ error }

// Unpack makes the image with a digest available on disk, if it is not already. Concurrent calls share the work. The error
// is a [runtime.PermanentError] when the reference or the image is at fault.
func (s *Store) Unpack(ctx context.Context, ref string) (Bundle, error) {
	parsed, err := parse(ref)
	if err != nil {
		return Bundle{}, err
	}
	digest, ok := parsed.(name.Digest)
	if !ok {
		return Bundle{}, permanent(ReasonInvalid, "image %s must be given by digest: resolve it first", ref)
	}
	for {
		if bundle, err := s.load(digest.DigestStr()); !errors.Is(err, fs.ErrNotExist) {
			return bundle, err
		}
		done := s.unpacking.DoChan(digest.DigestStr(), func() (any, error) {
			err := s.unpack(ctx, digest, ref)
			if err != nil && ctx.Err() != nil {
				err = abandoned{err}
			}
			return nil, err
		})
		select {
		case result := <-done:
			if _, again := errors.AsType[abandoned](result.Err); result.Err != nil && (!again || ctx.Err() != nil) {
				return Bundle{}, result.Err
			}
		case <-ctx.Done():
			return Bundle{}, fmt.Errorf("unpacking image %s: %w", ref, ctx.Err())
		}
	}
}

// unpack writes an image into a temporary directory, which gets its name when all is on disk.
func (s *Store) unpack(ctx context.Context, digest name.Digest, ref string) error {
	descriptor, err := remote.Get(digest, s.options(ctx)...)
	if err != nil {
		return fetching(ref, err)
	}
	image, config, err := runnable(ref, descriptor)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.dir, temporary)
	if err != nil {
		return fmt.Errorf("unpacking image %s: %w", ref, err)
	}
	defer os.RemoveAll(dir) // it is not there any more when all went well
	if err := s.fill(ctx, dir, ref, image, config); err != nil {
		return err
	}
	if err := os.Rename(dir, s.path(digest.DigestStr())); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("unpacking image %s: %w", ref, err)
	}
	s.log.Info("image unpacked", "image", ref)
	return syncPath(s.dir)
}

func (s *Store) fill(ctx context.Context, dir, ref string, image v1.Image, config *v1.ConfigFile) error {
	root := filepath.Join(dir, rootDir)
	for _, path := range []string{dir, root} {
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, 0o755)); err != nil {
			return fmt.Errorf("unpacking image %s: %w", ref, err)
		}
	}
	if err := extractLayers(ctx, root, ref, image, s.maxSize); err != nil {
		return err
	}
	data, err := json.Marshal(Bundle{
		Command: append(config.Config.Entrypoint, config.Config.Cmd...), Env: config.Config.Env,
		WorkingDir: config.Config.WorkingDir, User: config.Config.User,
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, bundleFile), data, 0o600)
	}
	if err == nil {
		err = syncTree(dir)
	}
	if err != nil {
		return fmt.Errorf("unpacking image %s: %w", ref, err)
	}
	return nil
}

// Prune removes the unpacked images whose digest is not in keep. Call it with what runs in keep, and while nothing else is
// about to start.
func (s *Store) Prune(ctx context.Context, keep map[string]bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("listing unpacked images: %w", err)
	}
	for _, entry := range entries {
		digest := strings.Replace(entry.Name(), "-", ":", 1)
		if _, err := v1.NewHash(digest); err != nil || keep[digest] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		removed := filepath.Join(s.dir, temporary+entry.Name())
		if err := os.Rename(s.path(digest), removed); err != nil {
			return fmt.Errorf("removing unpacked image %s: %w", digest, err)
		}
		if err := os.RemoveAll(removed); err != nil {
			return fmt.Errorf("removing unpacked image %s: %w", digest, err)
		}
		s.log.Info("image removed", "digest", digest)
	}
	return nil
}
