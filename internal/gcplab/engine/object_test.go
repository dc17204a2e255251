package engine

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// values draws JSON values, as they are after decoding.
func values(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{"", "x", "y"}), func(v string) any { return v }),
		rapid.Map(rapid.IntRange(-3, 3), func(v int) any { return float64(v) }),
		rapid.Map(rapid.Bool(), func(v bool) any { return v }),
	)
	if depth == 0 {
		return scalar
	}
	return rapid.OneOf(scalar,
		rapid.Map(objects(depth-1), func(v Object) any { return v }),
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 3), func(v []any) any { return v }),
	)
}

func objects(depth int) *rapid.Generator[Object] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "dE"}), values(depth), 0, 4)
}

func TestAPatchThatIsMergedTwiceIsAsIfOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, patch := objects(3).Draw(t, "object"), objects(3).Draw(t, "patch")
		once := Clone(o)
		Merge(once, patch)
		twice := Clone(once)
		Merge(twice, patch)
		if !Equal(once, twice) {
			t.Fatalf("%v and then %v", once, twice)
		}
	})
}

func TestAPatchSetsWhatItHasAndLeavesTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, patch := objects(3).Draw(t, "object"), objects(3).Draw(t, "patch")
		merged, before := Clone(o), Clone(patch)
		Merge(merged, patch)
		for name := range merged {
			given, has := patch[name]
			_, isObject := given.(Object)
			switch {
			case !has && !Equal(merged[name], o[name]):
				t.Fatalf("%s was changed though the patch lacks it", name)
			case has && !isObject && !Equal(merged[name], given):
				t.Fatalf("%s is %v and not %v", name, merged[name], given)
			}
		}
		for name := range o {
			if _, ok := merged[name]; !ok {
				t.Fatalf("%s is gone", name)
			}
		}
		// Nothing of the patch is shared with the result.
		spoil(merged)
		if !Equal(patch, before) {
			t.Fatalf("the patch was changed from %v to %v", before, patch)
		}
	})
}

func spoil(value any) {
	switch value := value.(type) {
	case Object:
		for _, inner := range value {
			spoil(inner)
		}
		value["spoilt"] = true
	case []any:
		for i := range value {
			spoil(value[i])
			value[i] = "spoilt"
		}
	}
}

func TestACloneSharesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := objects(3).Draw(t, "object")
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		copied := Clone(o)
		if !Equal(copied, o) {
			t.Fatalf("%v is cloned as %v", o, copied)
		}
		spoil(copied)
		after, err := json.Marshal(o)
		if err != nil || string(after) != string(raw) {
			t.Fatalf("%s has become %s", raw, after)
		}
	})
}

func TestAMaskOfAllFieldsReplacesAnObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, patch := objects(2).Draw(t, "object"), objects(2).Draw(t, "patch")
		MergeMask(o, patch, "a,b,c,d_e")
		if !Equal(o, patch) {
			t.Fatalf("%v and not %v", o, patch)
		}
	})
}

func TestAMaskChangesJustWhatItNames(t *testing.T) {
	for _, test := range []struct{ name, object, patch, mask, want string }{
		{"one of two", `{"a": 1, "b": 1}`, `{"a": 2, "b": 2}`, "a", `{"a": 2, "b": 1}`},
		{"one within another", `{"a": {"b": 1, "c": 1}}`, `{"a": {"b": 2, "c": 2}}`, "a.b", `{"a": {"b": 2, "c": 1}}`},
		{"a field that the patch lacks", `{"a": 1, "b": 1}`, `{}`, "a", `{"b": 1}`},
		{"snake case", `{}`, `{"rotationPeriod": "1s"}`, "rotation_period", `{"rotationPeriod": "1s"}`},
		{"spaces", `{}`, `{"a": 1, "b": 2}`, "a, b", `{"a": 1, "b": 2}`},
		{"an object as a whole", `{"a": {"b": 1, "c": 1}}`, `{"a": {"b": 2}}`, "a", `{"a": {"b": 2}}`},
		{"where there is no object yet", `{}`, `{"a": {"b": 2}}`, "a.b", `{"a": {"b": 2}}`},
		{"removing where there is no object", `{}`, `{}`, "a.b", `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o, patch Object
			assert.NoError(t, json.Unmarshal([]byte(test.object), &o))
			assert.NoError(t, json.Unmarshal([]byte(test.patch), &patch))
			MergeMask(o, patch, test.mask)
			raw, err := json.Marshal(o)
			assert.NoError(t, err)
			assert.JSONEq(t, test.want, string(raw))
		})
	}
}

func TestDefaultsFillInWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, defaults := objects(3).Draw(t, "object"), objects(3).Draw(t, "defaults")
		before := Clone(o)
		Default(o, defaults)
		again := Clone(o)
		Merge(again, before)
		if !Equal(o, again) {
			t.Fatalf("%v had its own and is now %v", before, o)
		}
		for name := range defaults {
			if _, ok := o[name]; !ok {
				t.Fatalf("%s is missing", name)
			}
		}
	})
}

func TestPathsLeadThroughObjects(t *testing.T) {
	o := Object{"a": Object{"b": "c"}, "list": []any{Object{"x": 1}, "y"}}
	assert.Equal(t, Object{"b": "c"}, Sub(o, "a"))
	assert.Equal(t, Object{}, Sub(o, "a", "b"))
	assert.Equal(t, Object{}, Sub(o, "z"))
	Ensure(o, "p", "q")["r"] = 1
	assert.Equal(t, Object{"r": 1}, Sub(o, "p", "q"))
	assert.Equal(t, "c", Text(Sub(o, "a"), "b"))
	assert.Empty(t, Text(o, "a"))
	assert.Equal(t, []Object{{"x": 1}}, Objects(o, "list"))
	assert.Nil(t, List(o, "a"))
}
