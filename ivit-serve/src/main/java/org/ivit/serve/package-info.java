/** The command {@code ivit serve} ({@code docs/serving.md}). */
package org.ivit.serve;
