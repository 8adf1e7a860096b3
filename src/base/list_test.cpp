#include "lunar/list.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace lunar {
namespace {

struct Item : ListHook {
  explicit Item(int number) : value(number) {}
  int value;
};

std::vector<int> values(List<Item>& list) {
  std::vector<int> out;
  for (Item& item : list) out.push_back(item.value);
  return out;
}

TEST(List, KeepsOrder) {
  Item a(1), b(2), c(3), d(4);
  List<Item> list;
  EXPECT_TRUE(list.empty());
  list.push_back(b);
  list.push_back(d);
  list.push_front(a);
  list.insert_before(d, c);
  EXPECT_EQ(values(list), (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(list.size(), 4U);
  EXPECT_EQ(&list.front(), &a);
  EXPECT_EQ(&list.back(), &d);
  EXPECT_EQ(&list.pop_front(), &a);
  EXPECT_FALSE(a.is_linked());
  EXPECT_EQ(values(list), (std::vector{2, 3, 4}));
}

TEST(List, ElementLeavesByItselfAndByItsDestruction) {
  List<Item> list;
  Item a(1);
  auto b = std::make_unique<Item>(2);
  Item c(3);
  list.push_back(a);
  list.push_back(*b);
  list.push_back(c);
  b.reset();
  EXPECT_EQ(values(list), (std::vector{1, 3}));
  a.unlink();
  a.unlink();
  EXPECT_EQ(values(list), (std::vector{3}));
  list.push_back(a);
  EXPECT_EQ(values(list), (std::vector{3, 1}));
}

TEST(List, SplicesBehindWhatIsThere) {
  Item a(1), b(2), c(3);
  List<Item> left;
  List<Item> right;
  left.splice_back(right);
  EXPECT_TRUE(left.empty());
  left.push_back(a);
  right.push_back(b);
  right.push_back(c);
  left.splice_back(right);
  EXPECT_TRUE(right.empty());
  EXPECT_EQ(values(left), (std::vector{1, 2, 3}));
  right.splice_back(left);
  EXPECT_EQ(values(right), (std::vector{1, 2, 3}));
  EXPECT_EQ(values(left), std::vector<int>{});
}

TEST(List, LeavesItsElementsUnlinked) {
  Item a(1), b(2);
  {
    List<Item> list;
    list.push_back(a);
    list.push_back(b);
  }
  EXPECT_FALSE(a.is_linked());
  EXPECT_FALSE(b.is_linked());
}

TEST(List, ElementUnderTheIteratorMayGo) {
  Item a(1), b(2), c(3);
  List<Item> list;
  for (Item* item : {&a, &b, &c}) list.push_back(*item);
  for (Item& item : list) {
    if (item.value != 2) item.unlink();
  }
  EXPECT_EQ(values(list), (std::vector{2}));
}

struct ByAge : ListHook {};
struct ByName : ListHook {};
struct Person : ByAge, ByName {
  int age = 7;
};

TEST(List, ElementStandsInTwoByTwoHooks) {
  Person person;
  List<Person, ByAge> ages;
  List<Person, ByName> names;
  ages.push_back(person);
  names.push_back(person);
  EXPECT_EQ(&ages.front(), &person);
  EXPECT_EQ(names.pop_front().age, 7);
  EXPECT_EQ(ages.size(), 1U);
}

}  // namespace
}  // namespace lunar
