/**
 * The integer checkpoint: one safetensors file with all that an engine needs, its provenance and a
 * digest of the whole, written atomically and checked in full before use.
 */
package org.ivit.core.checkpoint;
