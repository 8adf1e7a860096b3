// A layer that changes nothing: what a layer costs, and the pattern for others.
#pragma once

#include <memory>
#include <string>

#include "block/claim.h"

namespace lunar::layers {

std::unique_ptr<block::Device> create_passthru(std::string name, block::Claim base);

}  // namespace lunar::layers
