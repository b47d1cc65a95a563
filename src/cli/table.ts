const GAP = '  ';

/** A column is not made narrower than this, whatever the line's length. */
const NARROWEST = 8;

/** Aligned columns without lines between them. What does not fit is wrapped inside its column. */
export function table(rows: readonly (readonly string[])[], lineLength: number): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = columnWidths(cells, lineLength);
  return cells
    .flatMap((row) => {
      const wrapped = row.map((cell, column) => wrap(cell, widths[column] ?? 0));
      const height = Math.max(...wrapped.map((lines) => lines.length));
      return Array.from({ length: height }, (_, line) =>
        wrapped
          .map((lines, column) => padded(lines[line] ?? '', widths[column] ?? 0))
          .join(GAP)
          .trimEnd(),
      );
    })
    .join('\n');
}

/** As wide as their widest cell; where the line is too short, the widest give way. */
function columnWidths(rows: readonly (readonly string[])[], lineLength: number): readonly number[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(0, ...rows.map((row) => Bun.stringWidth(row[column] ?? ''))),
  );
  const room = lineLength - GAP.length * (count - 1);
  for (let total = widths.reduce((a, b) => a + b, 0); total > room; total -= 1) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

/** Breaks at spaces, and inside words that are longer than a line. */
function wrap(text: string, width: number): readonly string[] {
  if (Bun.stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    if (line !== '' && Bun.stringWidth((line + word).trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    for (const character of word) {
      if (Bun.stringWidth((line + character).trimEnd()) > width) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line.trimEnd()];
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)));
}

/** What a database or a file put into it must not move the cursor. */
function printable(cell: string): string {
  return cell.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
