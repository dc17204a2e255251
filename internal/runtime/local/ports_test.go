package local

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAGatewayChoosesNeitherTheEntrysPortNorTheDatabases(t *testing.T) {
	t.Parallel()
	r := &Runtime{options: Options{EntryAddress: "127.0.0.1:20001", DatabaseAddress: "127.0.0.1:20002"}}
	require.Equal(t, []int{20001, 20002}, r.ownPorts())
	public, admin, err := r.chooseAddresses(server{})
	require.NoError(t, err)
	require.NotEqual(t, public, admin)
	require.NotContains(t, []string{"127.0.0.1:20001", "127.0.0.1:20002"}, public)
}
