/** Which engine runs a graph, on what, and with how many threads. */
package org.ivit.core.engine.choice;
