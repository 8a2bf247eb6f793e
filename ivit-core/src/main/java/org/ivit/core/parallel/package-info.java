/** Spreads index ranges over a fixed number of threads, in the same split every time. */
package org.ivit.core.parallel;
