// Path states as values, and that NVMe finds its own in them.
#include "access/path_states.h"

#include <gtest/gtest.h>

namespace lunar::access {
namespace {

TEST(PathStates, AreAsTheyBeganUntilTheyAreSet) {
  PathStates states;
  const GroupAccess one{.group = 1, .state = PathState::non_optimized, .preferred = true};
  const GroupAccess two{.group = 2};
  EXPECT_EQ(states.of(one), one);
  const GroupAccess changed{1, PathState::standby, false, StateSetBy::management};
  states.set(changed);
  EXPECT_EQ(states.of(one), changed);
  EXPECT_EQ(states.of(two), two);
  const GroupAccess again{1, PathState::unavailable, false, StateSetBy::host};
  states.set(again);
  EXPECT_EQ(states.of(one), again);
}

TEST(PathStates, ACopyIsASnapshot) {
  PathStates states;
  const GroupAccess one{.group = 1};
  const PathStates before = states;
  states.set({1, PathState::changing, false, StateSetBy::management});
  EXPECT_EQ(before.of(one).state, PathState::optimized);
  EXPECT_EQ(states.of(one).state, PathState::changing);
}

TEST(PathStates, AGroupThatIsForgottenIsAsItBegan) {
  PathStates states;
  states.forget(1);
  states.set({1, PathState::standby, true, StateSetBy::management});
  states.set({2, PathState::unavailable, false, StateSetBy::host});
  states.forget(1);
  EXPECT_EQ(states.of({.group = 1}), GroupAccess{.group = 1});
  EXPECT_EQ(states.of({.group = 2}).state, PathState::unavailable);
}

// NVM Express Base 2.0 §8.1.1: the states of an ANA group descriptor.
constexpr int ana_state(PathState state) {
  switch (state) {
    case PathState::optimized: return 0x1;
    case PathState::non_optimized: return 0x2;
    case PathState::standby:
    case PathState::unavailable: return 0x3;  // inaccessible
    case PathState::changing: return 0xf;
  }
  return 0;
}

TEST(PathStates, HaveAStateInNvme) {
  PathStates states;
  states.set({7, PathState::standby, false, StateSetBy::management});
  EXPECT_EQ(ana_state(states.of({.group = 7}).state), 0x3);
  EXPECT_EQ(ana_state(states.of({.group = 8}).state), 0x1);
}

}  // namespace
}  // namespace lunar::access
