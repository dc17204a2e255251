package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Key is an OpenPGP key that signs checksums.
type Key struct {
	entity *openpgp.Entity
}

// GenerateKey makes a private key without a passphrase, as armored text.
func GenerateKey(name, email string) (string, error) {
	// Curve25519 in the form of before RFC 9580, which every Terraform and GnuPG knows.
	entity, err := openpgp.NewEntity(name, "", email, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		return "", fmt.Errorf("making a key: %w", err)
	}
	return armored(openpgp.PrivateKeyType, func(w io.Writer) error { return entity.SerializePrivate(w, nil) })
}

// ReadKey reads an armored private key. The passphrase is for one that has any.
func ReadKey(text, passphrase string) (*Key, error) {
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	if len(ring) != 1 {
		return nil, fmt.Errorf("there are %d keys instead of one", len(ring))
	}
	entity := ring[0]
	if entity.PrivateKey == nil {
		return nil, errors.New("it is a public key: export the private one, with gpg --armor --export-secret-keys")
	}
	if err := entity.DecryptPrivateKeys([]byte(passphrase)); err != nil {
		return nil, fmt.Errorf("opening the key with its passphrase: %w", err)
	}
	return &Key{entity}, nil
}

// id is how Terraform names the key to its users.
func (k *Key) id() string { return k.entity.PrimaryKey.KeyIdString() }

// public is the armored public key.
func (k *Key) public() (string, error) { return armored(openpgp.PublicKeyType, k.entity.Serialize) }

func (k *Key) sign(document []byte) ([]byte, error) {
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, k.entity, bytes.NewReader(document), nil); err != nil {
		return nil, fmt.Errorf("signing with key %s: %w", k.id(), err)
	}
	return signature.Bytes(), nil
}

func (k *Key) verify(document, signature []byte) error {
	_, err := openpgp.CheckDetachedSignature(openpgp.EntityList{k.entity}, bytes.NewReader(document), bytes.NewReader(signature), nil)
	return err
}

func armored(kind string, serialize func(io.Writer) error) (string, error) {
	var text strings.Builder
	writer, err := armor.Encode(&text, kind, nil)
	if err != nil {
		return "", err
	}
	if err := errors.Join(serialize(writer), writer.Close()); err != nil {
		return "", err
	}
	return text.String() + "\n", nil
}
