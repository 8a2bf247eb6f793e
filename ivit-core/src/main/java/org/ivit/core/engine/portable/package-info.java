/** Portable Java: threads, buffers kept for reuse. Runs on every machine. */
package org.ivit.core.engine.portable;
