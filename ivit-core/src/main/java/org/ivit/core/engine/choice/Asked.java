package org.ivit.core.engine.choice;

import java.io.Serializable;
import java.util.List;
import org.ivit.core.InputException;

/**
 * A name that was asked for.
 *
 * @param name what was asked for
 * @param property the system property that asked; null for a call or an option
 */
public record Asked(String name, String property) implements Serializable {
  /** What the property names; null where it is not set. */
  static Asked byProperty(String property) {
    String name = System.getProperty(property);
    return name == null || name.isBlank() ? null : new Asked(name.strip(), property);
  }

  /** Who asked, for the reason of a choice. */
  String by() {
    return property == null ? "by name" : "by property " + property;
  }

  /**
   * A refusal that says who asked for what.
   *
   * @param what is named, such as {@code engine}
   * @param reason what follows the name
   * @param cause null without one
   */
  InputException refused(String what, String reason, Throwable cause) {
    String where = property == null ? what : "property " + property;
    return new InputException("%s: '%s'%s".formatted(where, name, reason), cause);
  }

  /** Refuses a name that is none of these. */
  void requireOneOf(String what, List<String> names) {
    if (!names.contains(name)) {
      throw refused(what, ", expected one of " + String.join(", ", names), null);
    }
  }
}
