package org.ivit.core.architecture;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Parameter.Role;

/** Collects parameters of a part in timm's order. */
final class Parameters {
  private final List<Parameter> all = new ArrayList<>();

  Parameters add(String name, Role role, long... shape) {
    all.add(new Parameter(name, role, Arrays.stream(shape).boxed().toList()));
    return this;
  }

  Parameters norm(String name, long channels) {
    return add(name + ".weight", Role.NORM_WEIGHT, channels)
        .add(name + ".bias", Role.NORM_BIAS, channels);
  }

  Parameters linear(LinearSpec linear) {
    add(linear.weight(), Role.WEIGHT, linear.outputs(), linear.inputs());
    return linear.biased() ? add(linear.bias(), Role.BIAS, linear.outputs()) : this;
  }

  List<Parameter> all() {
    return List.copyOf(all);
  }
}
