package org.ivit.core.dataset;

/** What happens when a picture cannot be decoded. */
public enum OnCorrupt {
  /** The run ends with the error that names it. */
  FAIL,
  /** It is named in the log and left out. */
  SKIP
}
