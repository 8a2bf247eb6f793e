/**
 * Portable Java: exact float32 products by fused multiply-add, threads, buffers kept for reuse.
 * Runs on every machine.
 */
package org.ivit.core.engine.portable;
