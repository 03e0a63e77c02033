// The function of orders.yaml.
import { setTimeout as sleep } from 'node:timers/promises'

export async function parcel(id, customer, tags, note = { text: 'none' }) {
  console.log(`order ${id} has ${tags.length} tags`) // into the task's log
  await sleep(10) // as if the address were asked for
  return { id, parcel: [customer, ...tags].join(', '), note: note.text }
}
