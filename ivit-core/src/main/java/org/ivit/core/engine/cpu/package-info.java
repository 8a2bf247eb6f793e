/** The portable fast engine: plain Java that the virtual machine turns into vector instructions. */
package org.ivit.core.engine.cpu;
